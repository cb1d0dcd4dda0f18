package rds

import (
	"time"

	"github.com/Shopify/toxiproxy/v2/toxics"
)

const delayToxic = "restock_delay"

func init() { toxics.Register(delayToxic, &delay{}) }

// A delay is a toxic that delays data. Toxiproxy's own toxic "latency" is exact to one millisecond
// or two, which is too coarse here.
type delay struct {
	Delay time.Duration `json:"delay"`
}

// GetBufferSize lets data arrive while earlier data waits, so the delay does not limit the rate.
func (*delay) GetBufferSize() int { return 1024 }

// Pipe passes data on until the connection closes or the toxic changes.
func (d *delay) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case chunk := <-stub.Input:
			if chunk == nil {
				stub.Close()
				return
			}
			Sleep(time.Until(chunk.Timestamp.Add(d.Delay)))
			stub.Output <- chunk
		}
	}
}
