package acm

import (
	"fmt"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/acm"
)

// Errorf is an error with a code of Certificate Manager.
func Errorf(code, format string, args ...any) error {
	return &aws.Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid is the error of a certificate, chain or key that cannot be imported.
func Invalid(format string, args ...any) error {
	return Errorf(shape.CodeValidationException, format, args...)
}

// BadParameter is the error of a parameter that does not fit.
func BadParameter(format string, args ...any) error {
	return Errorf(shape.CodeInvalidParameterException, format, args...)
}

// BadARN is the error of what is no ARN of a certificate here.
func BadARN(arn string) error {
	return Errorf(shape.CodeInvalidArnException, "The certificate ARN %s is not valid: it names no certificate of this account and region.", arn)
}

// NoCertificate is the error of an ARN that no certificate has.
func NoCertificate(arn string) error {
	return Errorf(shape.CodeResourceNotFoundException, "Could not find certificate %s.", arn)
}

// InUse is the error of deleting what something uses.
func InUse(arn string, by []string) error {
	return Errorf(shape.CodeResourceInUseException, "Certificate %s is in use by %s.", arn, strings.Join(by, ", "))
}

// Full is the error of one certificate too many.
func Full() error {
	return Errorf(shape.CodeLimitExceededException, "You have reached the maximum number of certificates, which is %d. Delete certificates that are not in use.", MaxCertificates)
}

// TooManyTags is the error of one tag too many.
func TooManyTags() error {
	return Errorf(shape.CodeTooManyTagsException, "A certificate has at most %d tags.", MaxTags)
}

// BadTag is the error of a tag that nobody may give.
func BadTag(format string, args ...any) error {
	return Errorf(shape.CodeInvalidTagException, format, args...)
}
