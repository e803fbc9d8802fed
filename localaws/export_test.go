package localaws

import "time"

// ListenImpatiently is Listen with shorter timeouts.
func (s *Server) ListenImpatiently(header, whole time.Duration) (*Listener, error) {
	return s.listen("127.0.0.1:0", patience{header, whole})
}

// Break makes a service panic at the operation.
func (s *Server) Break(service string, panics func()) {
	e := *s.endpoints[service]
	e.service = broken{e.service, panics}
	s.endpoints[service] = &e
}
