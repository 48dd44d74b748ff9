"""What the SQL implementations of CRM and POS share: entities, the mapping to a shop's own tables,
reading with bound parameters, and writes that happen once a key."""
