package lambda

import "time"

// memoryInterval is how often an instance's memory is looked at. What one can take in that time above its memory size is what the
// machine must have to spare.
const memoryInterval = 50 * time.Millisecond

// measureMemory looks at how much memory the process has held at most, and tells whether that is more than its memory size. The
// kernel keeps that peak itself, so what rises and falls between two looks is seen too. It is the memory of the whole environment
// since its start, as in Lambda's reports, where invocations share it:
// https://docs.aws.amazon.com/lambda/latest/dg/golang-logging.html
func (inst *instance) measureMemory() (exceeded bool) {
	peak := inst.proc.PeakMemory()
	inst.mu.Lock()
	defer inst.mu.Unlock()
	inst.peakMemory = max(inst.peakMemory, peak)
	return inst.peakMemory > int64(inst.fn.MemoryMB)<<20
}

// memory returns the most memory that the process is known to have held, in bytes; 0 if that is not known.
func (inst *instance) memory() int64 {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	return inst.peakMemory
}

// failed is the failure of an invocation whose process ended before it was done.
func (inst *instance) failed(requestID string) *FunctionError {
	if inst.memory() > int64(inst.fn.MemoryMB)<<20 {
		return memoryError(requestID)
	}
	return exitError(requestID, inst.proc.Err())
}
