"""How well a pipeline understands: measured on data of any shop, and compared with others."""
