package registryapi

import (
	"slices"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecr"
)

// Refusal is a parameter that is refused until its part exists.
type Refusal struct {
	Operations []string
	Field      string
	Message    string

	given func(in any) bool
}

// Refusals are all of them. The coverage page of the documentation is made from this table.
var Refusals = []Refusal{
	{[]string{"CreateRepository"}, "encryptionConfiguration.encryptionType: KMS, KMS_DSSE",
		"Encryption with a KMS key is not available in this region: use AES256.",
		func(in any) bool {
			r, ok := in.(*shape.CreateRepositoryRequest)
			return ok && r.EncryptionConfiguration != nil && (aws.Val(r.EncryptionConfiguration.EncryptionType) != shape.EncryptionTypeAes256 ||
				aws.Val(r.EncryptionConfiguration.KmsKey) != "")
		}},
	{[]string{"CreateRepository", "PutImageScanningConfiguration"}, "imageScanningConfiguration.scanOnPush",
		"Image scanning is not available in this region.",
		func(in any) bool {
			switch r := in.(type) {
			case *shape.CreateRepositoryRequest:
				return r.ImageScanningConfiguration != nil && aws.Val(r.ImageScanningConfiguration.ScanOnPush)
			case *shape.PutImageScanningConfigurationRequest:
				return r.ImageScanningConfiguration != nil && aws.Val(r.ImageScanningConfiguration.ScanOnPush)
			}
			return false
		}},
	{[]string{"DescribeImages", "ListImages"}, "filter.imageStatus: ARCHIVED, ACTIVATING",
		"Archived images are not available in this region.",
		func(in any) bool {
			var status *string
			switch r := in.(type) {
			case *shape.DescribeImagesRequest:
				if r.Filter != nil {
					status = r.Filter.ImageStatus
				}
			case *shape.ListImagesRequest:
				if r.Filter != nil {
					status = r.Filter.ImageStatus
				}
			}
			return slices.Contains([]string{shape.ImageStatusFilterArchived, shape.ImageStatusFilterActivating}, aws.Val(status))
		}},
}

// RefusalCode is the code of every refusal.
const RefusalCode = shape.CodeInvalidParameterException

// refuse answers the error of the first refusal that a request runs into.
func refuse(operation string, in any) error {
	for _, r := range Refusals {
		if slices.Contains(r.Operations, operation) && r.given(in) {
			return &aws.Error{Code: RefusalCode, Message: r.Message + " (" + r.Field + ")"}
		}
	}
	return nil
}
