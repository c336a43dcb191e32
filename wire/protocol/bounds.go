package protocol

import "fmt"

// Bounds limit a body before it is parsed.
type Bounds struct {
	Depth    int // of nesting
	Elements int // objects, lists, members and elements together
}

// DefaultBounds leave room for the largest inputs AWS accepts.
var DefaultBounds = Bounds{Depth: 32, Elements: 50_000}

// JSON checks a JSON text without parsing it. Texts that are not JSON may pass.
func (b Bounds) JSON(body []byte) error {
	depth, elements, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		c := body[i]
		switch {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth, elements = depth+1, elements+1
		case c == '}' || c == ']':
			depth--
		case c == ',':
			elements++
		}
		if err := b.check(depth, elements); err != nil {
			return err
		}
	}
	return nil
}

// Form checks a form: its pairs are the elements, the dots of a name its nesting. A level of a list takes two parts of a name.
func (b Bounds) Form(body string) error {
	pairs, parts, value := 1, 0, false
	for i := range len(body) {
		switch c := body[i]; {
		case c == '&':
			pairs, parts, value = pairs+1, 0, false
		case c == '=':
			value = true
		case c == '.' && !value:
			parts++
		}
		if err := b.check(parts/2, pairs); err != nil {
			return err
		}
	}
	return nil
}

func (b Bounds) check(depth, elements int) error {
	if depth > b.Depth {
		return &DecodeError{Reason: fmt.Sprintf("The input is nested deeper than %d levels", b.Depth)}
	}
	if elements > b.Elements {
		return &DecodeError{Reason: fmt.Sprintf("The input has more than %d elements", b.Elements)}
	}
	return nil
}
