package lambda

import "time"

// memoryInterval is the time between two checks of an instance's memory. The machine must have
// enough memory for the excess of an instance during this time.
const memoryInterval = 50 * time.Millisecond

// measureMemory updates the peak of the process's memory, and reports whether it exceeds the memory
// size. The kernel records the peak, so a short peak between two checks counts too. The peak covers
// the environment since its start, as in Lambda's reports, where invocations share it:
// https://docs.aws.amazon.com/lambda/latest/dg/golang-logging.html
func (inst *instance) measureMemory() (exceeded bool) {
	if inst.fn.debugged() { // it would be the debugger's memory
		return false
	}
	peak := inst.proc.PeakMemory()
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.peakMemory = max(inst.peakMemory, peak)
	return inst.peakMemory > int64(inst.fn.MemoryMB)<<20
}

// memory returns the known peak of the process's memory in bytes, or 0 if it is unknown.
func (inst *instance) memory() int64 {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	return inst.peakMemory
}

// failed returns the failure of an invocation whose process ended too early.
func (inst *instance) failed(requestID string) *FunctionError {
	if inst.memory() > int64(inst.fn.MemoryMB)<<20 {
		return memoryError(requestID)
	}
	return exitError(requestID, inst.proc.Err())
}
