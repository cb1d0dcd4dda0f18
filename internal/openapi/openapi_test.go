package openapi_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3gen"
	"github.com/google/uuid"

	"restock/internal/merchant"
	"restock/internal/openapi"
	"restock/internal/shop"
	"restock/internal/web"
	"restock/lambdas"
)

var update = flag.Bool("update", false, "write openapi.json")

func TestDocumentIsGeneratedFromRoutesAndTypes(t *testing.T) {
	var want bytes.Buffer
	encoder := json.NewEncoder(&want)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(generate(t)); err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(want.Bytes())
	if err == nil {
		err = document.Validate(t.Context())
	}
	if err != nil {
		t.Fatalf("the document is not valid: %v", err)
	}
	if *update {
		if err := os.WriteFile("openapi.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if openapi.Document != want.String() {
		t.Error("internal/openapi/openapi.json is not what the routes and types say: " +
			"run go test ./internal/openapi -update, and review the difference")
	}
}

func TestEveryRouteIsDescribed(t *testing.T) {
	declared := map[string]bool{lambdas.RouteDefault: true} // its requests have no route
	for _, f := range lambdas.All() {
		for _, route := range f.Routes {
			if _, ok := operations[route]; !ok && !declared[route] {
				t.Errorf("openapi.json does not describe %s: add it to operations in "+
					"internal/openapi/operations_test.go, and run go test ./internal/openapi -update", route)
			}
			declared[route] = true
		}
	}
	for route := range operations {
		if !declared[route] {
			t.Errorf("operations in internal/openapi/operations_test.go has the route %s, which no function has", route)
		}
	}
}

// generate makes the document.
func generate(t *testing.T) *openapi3.T {
	t.Helper()
	g := generator{t, comments(t), openapi3.Schemas{}}
	problem := g.schema(web.Problem{}, false)
	refusal := g.schema(Refusal{}, false)
	paths := openapi3.NewPaths()
	for _, f := range lambdas.All() {
		for _, route := range f.Routes {
			described, ok := operations[route]
			if !ok {
				continue
			}
			method, path, _ := strings.Cut(route, " ")
			if paths.Value(path) == nil {
				paths.Set(path, &openapi3.PathItem{})
			}
			paths.Value(path).SetOperation(method, g.operation(f, path, described, problem, refusal))
		}
	}
	return &openapi3.T{
		OpenAPI: "3.0.3",
		Info: &openapi3.Info{
			Title: "restock", Version: "1",
			Description: "The HTTP API of a shop that restocks itself. Every error of the shop has a stable code. " +
				"API Gateway itself answers 403, 429, 500 and 503 with a message and no code. " +
				"A request that no route matches gets 404.",
		},
		Paths: paths,
		Components: &openapi3.Components{
			Schemas: g.schemas,
			SecuritySchemes: openapi3.SecuritySchemes{"sigv4": {Value: &openapi3.SecurityScheme{
				Type: "apiKey", Name: "Authorization", In: "header",
				Description: "AWS Signature Version 4 of the service execute-api, by credentials that allow " +
					"execute-api:Invoke",
				// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authtype.html
				Extensions: map[string]any{"x-amazon-apigateway-authtype": "awsSigv4"},
			}}},
		},
	}
}

// A Refusal is an answer of API Gateway itself.
type Refusal struct {
	Message string `json:"message"`
}

// parameters are the schemas of all parameters in paths and queries.
var parameters = map[string]*openapi3.Schema{
	"sku":         openapi3.NewStringSchema(),
	"order":       openapi3.NewUUIDSchema(),
	"attempt":     openapi3.NewUUIDSchema(),
	"sale":        openapi3.NewUUIDSchema(),
	"entry":       openapi3.NewUUIDSchema(),
	"before":      openapi3.NewStringSchema(),
	"limit":       limit(),
	"number":      openapi3.NewInt64Schema().WithMin(1),
	"prefix":      openapi3.NewStringSchema(),
	"from":        openapi3.NewDateTimeSchema(),
	"to":          openapi3.NewDateTimeSchema(),
	"status":      openapi3.NewStringSchema().WithEnum(values(shop.OrderStatuses)...),
	"quantity":    openapi3.NewStringSchema(),
	"correlation": openapi3.NewStringSchema(),
	"signature":   openapi3.NewStringSchema(),
}

func limit() *openapi3.Schema {
	s := openapi3.NewIntegerSchema().WithMin(1).WithMax(merchant.MaxPage)
	s.Default = merchant.DefaultPage
	return s
}

func values[T ~string](all []T) (values []any) {
	for _, v := range all {
		values = append(values, string(v))
	}
	return values
}

type generator struct {
	t        *testing.T
	comments map[string]string // of fields, by Type.Field
	schemas  openapi3.Schemas
}

var inPath = regexp.MustCompile(`\{(\w+)\}`)

func (g generator) operation(
	f lambdas.Function, path string, o operation, problem, refusal *openapi3.SchemaRef,
) *openapi3.Operation {
	described := &openapi3.Operation{OperationID: o.id, Summary: o.summary, Tags: []string{f.Name}}
	add := func(p *openapi3.Parameter, name string) {
		p.Schema = openapi3.NewSchemaRef("", parameters[name])
		if p.Schema.Value == nil {
			g.t.Errorf("%s: the parameter %s has no schema: add it to parameters", path, name)
		}
		described.AddParameter(p)
	}
	for _, m := range inPath.FindAllStringSubmatch(path, -1) {
		add(openapi3.NewPathParameter(m[1]), m[1])
	}
	for _, name := range o.query {
		add(openapi3.NewQueryParameter(name), name)
	}
	if o.keyed {
		key := openapi3.NewHeaderParameter(web.IdempotencyHeader).WithSchema(openapi3.NewStringSchema())
		described.AddParameter(key.WithDescription(
			"A new UUID for each purchase, adjustment or place on a waitlist; a retry sends the same"))
	}
	if len(o.codes) > 0 {
		language := openapi3.NewHeaderParameter("Accept-Language").WithSchema(openapi3.NewStringSchema())
		described.AddParameter(language.WithDescription("The language of messages"))
	}
	if o.request != nil {
		body := openapi3.NewRequestBody().WithRequired(!o.optional).WithJSONSchemaRef(g.schema(o.request, true))
		described.RequestBody = &openapi3.RequestBodyRef{Value: body}
	}
	success := cmp.Or(o.status, http.StatusOK)
	answer := func(status int, content openapi3.Content) *openapi3.Response {
		r := openapi3.NewResponse().WithDescription(http.StatusText(status)).WithContent(content)
		described.AddResponse(status, r)
		return r
	}
	switch {
	case o.answer != nil:
		answer(success, openapi3.NewContentWithJSONSchemaRef(g.schema(o.answer, false)))
	case o.media != "":
		answer(success, openapi3.Content{o.media: openapi3.NewMediaType()})
	default:
		answer(success, nil)
	}
	if o.shared {
		answer(http.StatusNotModified, nil)
	}
	if f.Access == lambdas.Signed {
		described.Security = openapi3.NewSecurityRequirements().With(
			openapi3.NewSecurityRequirement().Authenticate("sigv4"))
		answer(http.StatusForbidden, openapi3.NewContentWithJSONSchemaRef(refusal))
	}
	answer(http.StatusTooManyRequests, openapi3.NewContentWithJSONSchemaRef(refusal))
	byStatus := map[int][]shop.Code{}
	for _, code := range o.codes {
		byStatus[web.Status(code)] = append(byStatus[web.Status(code)], code)
	}
	for status, all := range byStatus {
		slices.Sort(all)
		code := openapi3.NewObjectSchema().WithProperty("code", openapi3.NewStringSchema().WithEnum(values(all)...))
		refused := openapi3.NewAllOfSchema()
		refused.AllOf = openapi3.SchemaRefs{problem, openapi3.NewSchemaRef("", code)}
		r := answer(status, openapi3.NewContentWithJSONSchema(refused))
		if status == http.StatusServiceUnavailable {
			header := openapi3.Parameter{Required: true, Schema: openapi3.NewIntegerSchema().NewRef(),
				Description: "Seconds until a retry makes sense"}
			r.Headers = openapi3.Headers{"Retry-After": {Value: &openapi3.Header{Parameter: header}}}
		}
	}
	described.Responses.Delete("default")
	return described
}

// schema returns a reference to the schema of a type, and adds it to the document. A field of a
// request is required if it has the tag required, a field of an answer unless it may be omitted.
func (g generator) schema(of any, isRequest bool) *openapi3.SchemaRef {
	g.t.Helper()
	if reflect.TypeOf(of).NumField() == 0 { // the library makes no component of such a type
		return openapi3.NewObjectSchema().WithoutAdditionalProperties().NewRef()
	}
	customize := func(_ string, t reflect.Type, _ reflect.StructTag, s *openapi3.Schema) error {
		s.Nullable = false // requests must not contain null, and answers omit a nil pointer
		switch {
		case t == reflect.TypeFor[uuid.UUID]():
			*s = *openapi3.NewUUIDSchema()
		case t == reflect.TypeFor[shop.OrderStatus]():
			s.Enum = values(shop.OrderStatuses)
		case t == reflect.TypeFor[shop.WaitlistState]():
			s.Enum = values(shop.WaitlistStates)
		case t.Kind() == reflect.Struct && s.Format == "":
			s.Type = &openapi3.Types{openapi3.TypeObject}
			if isRequest {
				s.WithoutAdditionalProperties()
			}
			g.describe(t, s, isRequest)
		}
		return nil
	}
	ref, err := openapi3gen.NewSchemaRefForValue(of, g.schemas, openapi3gen.SchemaCustomizer(customize),
		openapi3gen.CreateTypeNameGenerator(typeName),
		openapi3gen.CreateComponentSchemas(openapi3gen.ExportComponentSchemasOptions{
			ExportComponentSchemas: true, ExportTopLevelSchema: true,
		}))
	if err != nil {
		g.t.Fatalf("%T: %v", of, err)
	}
	return ref
}

// typeName returns the name of a type's schema. Buyers and the merchant see different products.
func typeName(t reflect.Type) string {
	if name := t.Name(); strings.HasSuffix(t.PkgPath(), "/merchant") && (name == "Product" || name == "Products") {
		return "Merchant" + name
	}
	return t.Name()
}

// describe says which fields of a struct are required, and what its comments say about them.
func (g generator) describe(t reflect.Type, s *openapi3.Schema, isRequest bool) {
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			continue // an embedded struct
		}
		if isRequest && f.Tag.Get("required") == "true" || !isRequest && !strings.HasPrefix(options, "omit") {
			s.Required = append(s.Required, name)
		}
		owner := t
		if len(f.Index) > 1 {
			owner = t.FieldByIndex(f.Index[:len(f.Index)-1]).Type
		}
		if property := s.Properties[name]; !strings.HasPrefix(property.Ref, "#") {
			property.Value.Description = g.comments[owner.String()+"."+f.Name]
		}
	}
}

// comments reads the comments of the fields of all types that the API uses.
func comments(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, file := range []string{"buyer/buyer.go", "merchant/merchant.go", "web/answer.go"} {
		parsed, err := parser.ParseFile(token.NewFileSet(), "../"+file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if s, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range s.Fields.List {
					for _, name := range f.Names {
						text := cmp.Or(f.Comment.Text(), f.Doc.Text())
						key := parsed.Name.Name + "." + spec.Name.Name + "." + name.Name
						found[key] = strings.Join(strings.Fields(text), " ")
					}
				}
			}
			return true
		})
	}
	return found
}
