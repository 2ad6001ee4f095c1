"""Many ranks: communicators, the graph of the cells and its parts, exchange with neighbours."""
