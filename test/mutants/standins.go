package main

var standIns []mutant
