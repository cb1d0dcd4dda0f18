// Package tour holds docs/tour.md to its word. Its tests read the tour's steps, make each step's change in a copy of the project, run
// the step's command there, and look for the lines that the tour promises.
//
//	go test ./test/tour                        # every change applies to the sources; the quick steps do what they say
//	make tour                                   # every step does what it says: minutes
//	make tour ARGS="-run TestTour/10 -v"        # one mistake's steps, with all that their commands say
package tour
