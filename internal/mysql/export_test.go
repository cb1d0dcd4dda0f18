package mysql

// Transaction gives tests the way in which the store runs its transactions.
var Transaction = (*Store).transaction
