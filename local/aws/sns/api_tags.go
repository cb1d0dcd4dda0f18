package sns

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"restock/local/aws/awsapi"
)

const maxTags = 50

type tag struct{ Key, Value string }

// tagsOf returns tags by key. Lengths are in characters.
// https://docs.aws.amazon.com/sns/latest/api/API_Tag.html
// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
func tagsOf(list []tag) (map[string]string, error) {
	tags := map[string]string{}
	for _, t := range list {
		n := utf8.RuneCountInString(t.Key)
		if n < 1 || n > 128 || utf8.RuneCountInString(t.Value) > 256 || strings.HasPrefix(t.Key, "aws:") {
			return nil, invalidParameter("Tags Reason: a key has 1 to 128 characters and does not begin with aws:, " +
				"and a value has up to 256")
		}
		if _, repeated := tags[t.Key]; repeated {
			return nil, invalidParameter("Duplicated keys are not allowed.")
		}
		tags[t.Key] = t.Value
	}
	return tags, checkTags(tags)
}

// checkTags returns an error if a topic cannot have so many tags.
// https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html#API_TagResource_Errors
func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return awsapi.Errorf("TagLimitExceeded", "A topic has at most %d tags.", maxTags)
	}
	return nil
}

func (t *Topic) listTags() map[string]string {
	t.service.mu.RLock()
	defer t.service.mu.RUnlock()
	return maps.Clone(t.tags)
}

type resourceInput struct {
	ResourceARN string `xml:"ResourceArn"`
}

// editTags changes the tags of a topic.
func (s *Service) editTags(in resourceInput, edit func(tags map[string]string)) error {
	if err := s.checkTopicARN("ResourceArn", in.ResourceARN); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, exists := s.topics[in.ResourceARN]
	if !exists {
		return &awsapi.Error{Status: http.StatusNotFound, Code: "ResourceNotFound", Message: "Resource does not exist"}
	}
	tags := map[string]string{}
	maps.Copy(tags, t.tags)
	edit(tags)
	if err := checkTags(tags); err != nil {
		return err
	}
	t.tags = tags
	return nil
}

type tagResourceInput struct {
	resourceInput
	Tags []tag `xml:"Tags>member"`
}

// https://docs.aws.amazon.com/sns/latest/api/API_TagResource.html
func (s *Service) tagResource(_ context.Context, in tagResourceInput) (none, error) {
	added, err := tagsOf(in.Tags)
	if err != nil {
		return none{}, err
	}
	return none{}, s.editTags(in.resourceInput, func(tags map[string]string) { maps.Copy(tags, added) })
}

type untagResourceInput struct {
	resourceInput
	TagKeys []string `xml:"TagKeys>member"`
}

// https://docs.aws.amazon.com/sns/latest/api/API_UntagResource.html
func (s *Service) untagResource(_ context.Context, in untagResourceInput) (none, error) {
	return none{}, s.editTags(in.resourceInput, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

type listTagsForResourceOutput struct {
	Tags []tag `xml:"Tags>member"`
}

// https://docs.aws.amazon.com/sns/latest/api/API_ListTagsForResource.html
func (s *Service) listTagsForResource(_ context.Context, in resourceInput) (listTagsForResourceOutput, error) {
	var out listTagsForResourceOutput
	err := s.editTags(in, func(tags map[string]string) {
		for _, key := range slices.Sorted(maps.Keys(tags)) {
			out.Tags = append(out.Tags, tag{key, tags[key]})
		}
	})
	return out, err
}
