"""Systems that know the shop's customers, one package each."""
