// Package outputs derives values from the outputs of resources: JSON documents, such as policies,
// and ARNs.
package outputs

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// JSON returns a document as text. build makes the document from the values of the inputs. In a
// preview, the text is unknown while an input is unknown.
func JSON(build func(values []string) any, inputs ...pulumi.StringInput) pulumi.StringOutput {
	var all []any
	for _, input := range inputs {
		all = append(all, input)
	}
	return pulumi.All(all...).ApplyT(func(resolved []any) (string, error) {
		values := make([]string, len(resolved))
		for i, v := range resolved {
			values[i] = v.(string)
		}
		text, err := json.Marshal(build(values))
		if err != nil {
			return "", fmt.Errorf("writing a JSON document: %w", err)
		}
		return string(text), nil
	}).(pulumi.StringOutput)
}
