package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/berth-ecs/berth/test/images"
	"github.com/berth-ecs/berth/test/installation"
)

// awsCLI runs the AWS CLI as a user does.
func awsCLI(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("aws is not installed:", err)
	}
	cmd := exec.CommandContext(t.Context(), "aws", args...)
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL="+region.Endpoint, "AWS_ACCESS_KEY_ID="+installation.AccessKey,
		"AWS_SECRET_ACCESS_KEY="+installation.SecretKey, "AWS_DEFAULT_REGION="+installation.Region, "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("aws %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// What a user of ECR does: make a repository, sign in, push, run a service by the image's name in ECR.
func TestServiceRunsFromTheRegistry(t *testing.T) {
	t.Parallel()
	uri := awsCLI(t, "ecr", "create-repository", "--repository-name", "e2e/web", "--query", "repository.repositoryUri", "--output", "text")
	equal(t, "repositoryUri", uri, installation.Account+".dkr.ecr."+installation.Region+".amazonaws.com/e2e/web")
	password := awsCLI(t, "ecr", "get-login-password")
	digest := pushed(t, "e2e/web:1", password)

	c := types.ContainerDefinition{Name: aws.String("main"), Memory: aws.Int32(32), Image: aws.String(uri + ":1"), Command: []string{"sh", "-c", "cat /from-ecr; sleep 1000"}}
	d := define(t, c)
	service := family(t) + "-ecr"
	if _, err := region.ECS.CreateService(t.Context(), &ecs.CreateServiceInput{ServiceName: &service, TaskDefinition: aws.String(register(t, d)), DesiredCount: aws.Int32(2)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = region.ECS.DeleteService(detached(t), &ecs.DeleteServiceInput{Service: &service, Force: aws.Bool(true)})
	})
	var arns []string
	installation.Eventually(t, "the service's tasks", func(ctx context.Context) error {
		out, err := region.ECS.ListTasks(ctx, &ecs.ListTasksInput{ServiceName: &service})
		if err != nil {
			return err
		}
		if arns = out.TaskArns; len(arns) < 2 {
			return fmt.Errorf("there are %d", len(arns))
		}
		return nil
	})
	for _, arn := range arns {
		task := region.AwaitTask(t, arn, "RUNNING")
		equal(t, "imageDigest", aws.ToString(containerOf(t, task, "main").ImageDigest), digest)
	}

	c.Image, c.Command = aws.String(uri+":nope"), nil
	c.Name = aws.String("wrong")
	wrong := finished(t, define(t, c))
	const want = "CannotPullImageManifestError: "
	if reason := aws.ToString(containerOf(t, wrong, "wrong").Reason); !strings.HasPrefix(reason, want) || !strings.HasSuffix(reason, "manifest unknown: Requested image not found") {
		t.Errorf("a tag that is not there: %q", reason)
	}
	c.Image = aws.String(strings.Replace(uri, "e2e/web", "e2e/nobody", 1) + ":1")
	wrong = finished(t, define(t, c))
	if reason := aws.ToString(containerOf(t, wrong, "wrong").Reason); !strings.Contains(reason, "The repository with name 'e2e/nobody' does not exist") {
		t.Errorf("a repository that is not there: %q", reason)
	}
	c.Image = aws.String(strings.Replace(uri, installation.Region, "eu-west-3", 1) + ":1")
	wrong = finished(t, define(t, c))
	if reason := aws.ToString(containerOf(t, wrong, "wrong").Reason); !strings.HasPrefix(reason, "CannotPullECRContainerError: ") {
		t.Errorf("a region that is not there: %q", reason)
	}
	var pulls struct {
		ImageDetails []struct{ LastRecordedPullTime any }
	}
	if err := json.Unmarshal([]byte(awsCLI(t, "ecr", "describe-images", "--repository-name", "e2e/web")), &pulls); err != nil || len(pulls.ImageDetails) != 1 || pulls.ImageDetails[0].LastRecordedPullTime == nil {
		t.Errorf("described %+v, %v", pulls, err)
	}
}

// pushed pushes an image of its own as crane does, and answers its digest.
func pushed(t *testing.T, repoTag, password string) string {
	t.Helper()
	spec, err := images.Busybox(v1.Config{}, images.File{Path: "/from-ecr", Body: []byte(t.Name())})
	if err != nil {
		t.Fatal(err)
	}
	img, err := images.Build(spec)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(strings.TrimPrefix(region.Endpoint, "http://")+"/"+repoTag, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithAuth(&authn.Basic{Username: "AWS", Password: password})); err != nil {
		t.Fatal(err)
	}
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}
