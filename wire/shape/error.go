package shape

// Error is an error as a client of AWS sees it: the code of one of the service's exceptions, a message for people, and the extra members
// that some exceptions have (resourceIds, for one).
type Error struct {
	Code    string         // required; one of the generated Code constants
	Message string         // required
	Members map[string]any // optional; JSON-marshalable
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// ErrorInfo describes one exception of a service's model.
type ErrorInfo struct {
	Code       string // on the wire; not always the shape's name
	Shape      ID
	HTTPStatus int  // 0 leaves it to Fault
	Fault      bool // the server's fault
}

// Status is the HTTP status the exception is answered with.
func (e ErrorInfo) Status() int {
	switch {
	case e.HTTPStatus != 0:
		return e.HTTPStatus
	case e.Fault:
		return 500
	}
	return 400
}
