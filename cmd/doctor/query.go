package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
)

// largestAnswer limits an answer of AWS, in bytes.
const largestAnswer = 16 << 20

// query calls an action of EC2 or RDS with AWS's query protocol. The SDK's packages for these two
// services take minutes to compile, and the doctor needs one action of each.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/making-api-requests.html
func (a *account) query(ctx context.Context, service, version, action string, values url.Values, into any) error {
	endpoint := fmt.Sprintf("https://%s.%s.amazonaws.com/", service, a.config.Region)
	if a.config.BaseEndpoint != nil {
		endpoint = *a.config.BaseEndpoint
	}
	form := url.Values{"Action": {action}, "Version": {version}}
	maps.Copy(form, values)
	body := form.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	credentials, err := a.config.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(body))
	err = v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), service, a.config.Region,
		time.Now())
	if err != nil {
		return err
	}
	response, err := a.config.HTTPClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, largestAnswer))
	if err != nil {
		return err
	}
	if response.StatusCode == http.StatusOK {
		return xml.Unmarshal(text, into)
	}
	// EC2 answers Response>Errors>Error, RDS answers ErrorResponse>Error.
	var refused struct {
		EC2 string `xml:"Errors>Error>Code"`
		RDS string `xml:"Error>Code"`
	}
	if err := xml.Unmarshal(text, &refused); err != nil || refused.EC2+refused.RDS == "" {
		return fmt.Errorf("calling %s: status %d", action, response.StatusCode)
	}
	return &smithy.GenericAPIError{Code: refused.EC2 + refused.RDS}
}
