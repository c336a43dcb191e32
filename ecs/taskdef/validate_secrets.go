package taskdef

import (
	"slices"
	"strings"

	aws "github.com/berth-ecs/berth/wire/shape"
	shape "github.com/berth-ecs/berth/wire/shape/ecs"
)

// maxEnvironmentFiles: ContainerDefinition.environmentFiles.
const maxEnvironmentFiles = 10

func checkVariables(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	for _, e := range c.Environment {
		if aws.Val(e.Name) == "" {
			return invalid("Invalid 'environment' setting for container '%s': 'name' should not be null or empty.", aws.Val(c.Name))
		}
	}
	return nil
}

// checkSecrets: they need the execution role, and names of their own. The sentences
// are AWS's.
func checkSecrets(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	variables, seen := map[string]bool{}, map[string]bool{}
	for _, e := range c.Environment {
		variables[aws.Val(e.Name)] = true
	}
	for _, s := range c.Secrets {
		name := aws.Val(s.Name)
		switch {
		case name == "":
			return invalid("Invalid 'secrets' setting for container '%s': 'name' should not be null or empty.", aws.Val(c.Name))
		case seen[name]:
			return invalid("Duplicate secret names found: %s. Each secret name must be unique.", name)
		case variables[name]:
			return invalid("The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '%s'.", name)
		}
		seen[name] = true
	}
	secrets := c.Secrets
	if c.LogConfiguration != nil {
		secrets = append(slices.Clip(secrets), c.LogConfiguration.SecretOptions...)
	}
	for _, s := range secrets {
		if aws.Val(s.ValueFrom) == "" {
			return invalid("Invalid 'secrets' setting for container '%s': 'valueFrom' should not be null or empty.", aws.Val(c.Name))
		}
	}
	if len(secrets) > 0 && aws.Val(in.ExecutionRoleArn) == "" {
		return invalid("When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.")
	}
	return checkCredentials(in, c)
}

func checkCredentials(in *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	switch {
	case c.RepositoryCredentials == nil:
		return nil
	case aws.Val(c.RepositoryCredentials.CredentialsParameter) == "":
		return invalid("Invalid 'repositoryCredentials' setting for container '%s': 'credentialsParameter' should not be null or empty.", aws.Val(c.Name))
	case aws.Val(in.ExecutionRoleArn) == "":
		return invalid("When you are specifying repository credentials, you must also specify a value for 'executionRoleArn'.")
	}
	return nil
}

// checkEnvironmentFiles: ARNs of S3 objects that end in .env.
func checkEnvironmentFiles(_ *shape.RegisterTaskDefinitionRequest, c *shape.ContainerDefinition) error {
	if len(c.EnvironmentFiles) > maxEnvironmentFiles {
		return invalid("The maximum number of environment files was exceeded. Specify ten or less and try again.")
	}
	for _, f := range c.EnvironmentFiles {
		name := aws.Val(c.Name)
		if err := oneOf("for container '"+name+"'", []choice{{"environmentFiles.type", aws.Ptr(aws.Val(f.Type)), []string{shape.EnvironmentFileTypeS3}}}); err != nil {
			return err
		}
		if !s3Object(aws.Val(f.Value)) {
			return invalid("Invalid arn syntax.")
		}
		if !strings.HasSuffix(aws.Val(f.Value), ".env") {
			return invalid("Invalid 'environmentFiles' setting for container '%s': '%s' does not have the extension .env.", name, aws.Val(f.Value))
		}
	}
	return nil
}

// s3Object says whether a text is arn:<partition>:s3:::<bucket>/<key>.
func s3Object(arn string) bool {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[1] == "" || parts[2] != "s3" {
		return false
	}
	bucket, key, found := strings.Cut(parts[5], "/")
	return found && bucket != "" && key != ""
}
