"""Systems that know the shop's goods, orders and branches, one package each."""
