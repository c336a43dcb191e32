package compose

import (
	"encoding/json"
	"testing"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

func TestImagesOfTheOwnRegistryNeedALogin(t *testing.T) {
	account := task(shape.TaskOverride{}).Account
	for image, want := range map[string]string{
		account + ".dkr.ecr.us-east-1.amazonaws.com/team/web:1":   `{"type":"ecr","ecrAuthData":{"region":"us-east-1","registryId":"` + account + `"}}`,
		account + ".dkr.ecr.eu-west-1.amazonaws.com/web@sha256:0": `{"type":"ecr","ecrAuthData":{"region":"eu-west-1","registryId":"` + account + `"}}`,
		"210987654321.dkr.ecr.us-east-1.amazonaws.com/web:1":      "null",
		"public.ecr.aws/web:1":                                    "null",
		"busybox":                                                 "null",
		"127.0.0.1:4566/web":                                      "null",
	} {
		d := definition(shape.ContainerDefinition{})
		d.Document.ContainerDefinitions[0].Image = aws.Ptr(image)
		got := start(t, task(shape.TaskOverride{}), d)
		if b, err := json.Marshal(got.Containers[0].RegistryAuthentication); err != nil || string(b) != want {
			t.Errorf("%s: %s, %v; want %s", image, b, err, want)
		}
	}
}
