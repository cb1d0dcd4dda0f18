// Package tour tests docs/tour.md. Its tests read the tour's steps, make each step's change in a
// copy of the project, run the step's command there, and look for the output that the tour
// promises.
//
//	# every change applies to the sources; the quick steps print what they promise
//	go test ./test/tour
//	# all steps: minutes
//	make tour
//	# one mistake's steps, with the whole output of their commands
//	make tour ARGS="-run TestTour/10 -v"
package tour
