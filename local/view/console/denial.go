package console

import "strings"

// classifyDenial puts a refusal by a policy on the edge where it happened, or else at who was refused.
func (o *observer) classifyDenial(e *Event) {
	if e.Message != "access denied" {
		return
	}
	e.Denied = true
	who, what := o.principal(e), o.resource(e.text("resource"))
	e.Node = who
	if who == "" {
		e.Node = what
	}
	e.move(o.picture.between(who, what), 0, 1)
}

// principal is the node of who was refused: a function, by the name of its role's session, or what a service of AWS acts for.
func (o *observer) principal(e *Event) string {
	principal := e.text("principal")
	if session := principal[strings.LastIndexByte(principal, '/')+1:]; strings.Contains(principal, ":assumed-role/") {
		return o.picture.function(session)
	}
	if source := o.resource(e.text("source")); source != "" {
		return source
	}
	return o.picture.only(serviceKinds[principal])
}

// serviceKinds are the kinds of what AWS's services act for, where they do not say for which.
var serviceKinds = map[string]string{
	"apigateway.amazonaws.com":     KindAPI,
	"events.amazonaws.com":         KindSchedule,
	"secretsmanager.amazonaws.com": KindSecrets,
	"sns.amazonaws.com":            KindTopic,
}

// resource is the node of what an ARN names.
func (o *observer) resource(arn string) string {
	if ids := o.picture.named[arn]; len(ids) > 0 {
		return ids[0]
	}
	switch parts := strings.SplitN(arn, ":", 6); {
	case len(parts) < 6:
		return ""
	case parts[2] == "secretsmanager":
		return o.picture.only(KindSecrets)
	case parts[2] == "execute-api":
		return o.picture.only(KindAPI)
	case parts[2] == "events":
		return o.picture.only(KindSchedule)
	default:
		return ""
	}
}

// classifyClosedWay puts a call that the declared network does not let through on the edge where it hangs.
func (o *observer) classifyClosedWay(e *Event) {
	e.Denied = true
	e.Node = o.picture.function(e.text("function"))
	to := e.text("to")
	edge := ""
	switch {
	case strings.HasPrefix(to, "database "):
		edge = o.picture.edge(e.Node, o.picture.only(KindDatabase))
	case to == "secretsmanager":
		edge = o.picture.edge(e.Node, o.picture.only(KindSecrets))
	case to == "sns":
		edge = o.picture.out(e.Node, KindTopic)
	case to == "sqs":
		edge = o.picture.out(e.Node, KindQueue)
	case strings.Contains(to, "://"):
		edge = o.picture.edge(e.Node, o.picture.only(KindFactory))
	}
	e.move(edge, 0, 1)
}
