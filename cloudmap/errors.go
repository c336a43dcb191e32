package cloudmap

import (
	"fmt"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/servicediscovery"
)

// Errorf is an error with a code of Cloud Map.
func Errorf(code, format string, args ...any) error {
	return &aws.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid is the error of a bad parameter.
func Invalid(format string, args ...any) error {
	return Errorf(shape.CodeInvalidInput, format, args...)
}

// NoNamespace is the error of an id or name that no namespace has.
func NoNamespace(id string) error {
	return Errorf(shape.CodeNamespaceNotFound, "Namespace not found: %s", id)
}

// NoService is the error of an id or name that no service has.
func NoService(id string) error {
	return Errorf(shape.CodeServiceNotFound, "Service not found: %s", id)
}

// NoInstance is the error of an id that no instance of a service has.
func NoInstance(service, id string) error {
	return Errorf(shape.CodeInstanceNotFound, "Instance not found: %s in service %s", id, service)
}

// NoOperation is the error of an id that no operation has.
func NoOperation(id string) error {
	return Errorf(shape.CodeOperationNotFound, "Operation not found: %s", id)
}

// NoResource is the error of an ARN that nothing with tags has.
func NoResource(arn string) error {
	return Errorf(shape.CodeResourceNotFoundException, "Resource not found: %s", arn)
}

// Duplicate is the error of an operation while another one is about the same.
func Duplicate(operation, format string, args ...any) error {
	return &aws.Error{Code: shape.CodeDuplicateRequest, Message: fmt.Sprintf(format, args...),
		Members: map[string]any{"DuplicateOperationId": operation}}
}

// NamespaceExists is the error of a name that a namespace has.
func (n *Namespace) NamespaceExists() error {
	return &aws.Error{Code: shape.CodeNamespaceAlreadyExists, Message: fmt.Sprintf("Namespace with name: %s already exists: %s", n.Name, n.ID),
		Members: map[string]any{"NamespaceId": n.ID, "CreatorRequestId": n.CreatorRequestID}}
}

// ServiceExists is the error of a name that a service of the namespace has.
func (s *Service) ServiceExists() error {
	return &aws.Error{Code: shape.CodeServiceAlreadyExists, Message: "Service already exists: " + s.Name,
		Members: map[string]any{"ServiceId": s.ID, "ServiceArn": s.ARN(), "CreatorRequestId": s.CreatorRequestID}}
}

// InUse is the error of deleting what holds something.
func InUse(format string, args ...any) error { return Errorf(shape.CodeResourceInUse, format, args...) }

// Limit is the error of one too many.
func Limit(format string, args ...any) error {
	return Errorf(shape.CodeResourceLimitExceeded, format, args...)
}
