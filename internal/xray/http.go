package xray

import "net/http"

// Transport returns a transport that records requests to other servers. A request has the header
// Traceparent, so that a server with OpenTelemetry continues the trace.
func (r *Recorder) Transport() http.RoundTripper { return transport{r} }

type transport struct{ recorder *Recorder }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, s, ok := begin(request.Context(), request.URL.Host, "remote")
	if !ok {
		return http.DefaultTransport.RoundTrip(request)
	}
	s.HTTP = &exchange{}
	s.HTTP.Request.Method = request.Method
	s.HTTP.Request.URL = request.URL.Scheme + "://" + request.URL.Host + request.URL.Path
	request = request.Clone(ctx)
	p, _ := parentOf(ctx)
	request.Header.Set("Traceparent", p.traceparent())
	answer, err := http.DefaultTransport.RoundTrip(request)
	s.Fault = err != nil
	if err == nil {
		s.HTTP.Response.Status = answer.StatusCode
		s.setStatus(answer.StatusCode)
	}
	t.recorder.end(ctx, s)
	return answer, err
}
