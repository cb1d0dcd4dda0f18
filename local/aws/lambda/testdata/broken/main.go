// Command broken does not compile.
package main

func main() { var stock int = "many" }
