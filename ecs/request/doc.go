// Package request holds the rules of requests that can be judged without the store:
// references and names, tags, placement, percentages, registrations, and what is
// refused until its part exists.
//
// Guarantees:
//
//   - It is pure: the same request is judged the same, always.
//   - What a reader of a reference accepts is fit to be part of a key.
//   - Errors are *aws.Error with AWS's code and, where clients match on it, AWS's
//     phrase; they name the parameter.
package request

import (
	"fmt"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// Invalid is the error of a bad parameter.
func Invalid(format string, args ...any) error {
	return &aws.Error{Code: shape.CodeInvalidParameterException, Message: fmt.Sprintf(format, args...)}
}
