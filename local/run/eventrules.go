package run

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"restock/infra/graph"
	"restock/local/aws/async"
	"restock/local/aws/awsapi"
	"restock/local/aws/eventbridge"
	"restock/local/aws/scheduler"
	"restock/local/aws/sns"
	"restock/local/aws/sqs"
	"restock/local/aws/standin"
	"restock/local/view/events"
)

// eventBridge is the service that invokes the targets of rules.
const eventBridge = "events.amazonaws.com"

// eventRules returns the stand-in for EventBridge. A function of an external program may send
// events to the default bus, which the program does not declare.
func (r *Run) eventRules(g *graph.Graph, s *services) standin.StandIn {
	s.buses = eventbridge.New(g.Region, r.config.Log.With("part", "events"))
	rules := standin.StandIn{
		Service: "events", Name: "EventBridge",
		Types: []graph.Type{graph.EventBus, graph.EventRule, graph.EventTarget},
		Start: func(g *graph.Graph) error { return r.startRules(g, s) },
	}
	if r.config.Program.Dir != "" || len(g.OfType(graph.EventBus)) > 0 ||
		slices.ContainsFunc(g.OfType(graph.EventRule), hasPattern) {
		rules.APIs = []awsapi.Service{s.buses.API()}
		rules.Nodes = eventbridge.Nodes
	}
	return rules
}

func hasPattern(rule *graph.Resource) bool { return rule.String("eventPattern") != "" }

// startRules starts the rules with a schedule, and those with a pattern. It names the targets of an
// external program that it cannot start.
func (r *Run) startRules(g *graph.Graph, s *services) error {
	var patterns []eventbridge.Rule
	for _, target := range g.OfType(graph.EventTarget) {
		pattern, err := r.startTarget(g, s, target)
		switch {
		case err != nil && r.config.Program.Dir != "":
			r.warnNotRun(target, err.Error())
		case err != nil:
			return fmt.Errorf("target %s: %w (%s)", target.Name, err, target.Source)
		case pattern != nil:
			patterns = append(patterns, *pattern)
		}
	}
	s.buses.Start(patterns)
	return nil
}

// startTarget starts the schedule of a target's rule, and returns the rule if it has a pattern.
func (r *Run) startTarget(g *graph.Graph, s *services, target *graph.Resource) (*eventbridge.Rule, error) {
	rule := g.RuleOf(target)
	if rule == nil {
		return nil, fmt.Errorf("the stack lacks the rule %q on the bus %s", target.String("rule"), target.BusName())
	}
	expression := rule.String("scheduleExpression")
	if !hasPattern(rule) && expression == "" {
		return nil, fmt.Errorf("the rule %s has neither an eventPattern nor a scheduleExpression", rule.Name)
	}
	if rule.String("state") == "DISABLED" || rule.Outputs["isEnabled"] == false {
		r.config.Log.Warn("the rule is disabled: nothing invokes its target", "part", "events",
			"rule", rule.String("arn"), "target", target.String("arn"), "declared_in", rule.Source)
		return nil, nil
	}
	if expression != "" {
		if err := r.startSchedule(g, s, rule, target); err != nil {
			return nil, err
		}
	}
	if !hasPattern(rule) {
		return nil, nil
	}
	return s.patternRule(g, rule, target)
}

// startSchedule starts the schedule of a rule for one of its targets.
func (r *Run) startSchedule(g *graph.Graph, s *services, rule, target *graph.Resource) error {
	f := (*s.functions.Load())[target.String("arn")]
	if f == nil {
		return fmt.Errorf("the run's schedules invoke functions of the stack only, not %q", target.String("arn"))
	}
	if err := errors.Join(unset(rule, "state", "ENABLED"), unset(target, "input", nil)); err != nil {
		return err
	}
	schedule, err := scheduler.Start(scheduler.Rule{
		ARN: rule.String("arn"), Expression: rule.String("scheduleExpression"),
		Region: g.Region, AccountID: graph.AccountID,
		Function: s.by(f, eventBridge, rule.String("arn")),
	}, r.config.Log.With("part", "scheduler", "function", f.Name))
	if err != nil {
		return fmt.Errorf("its rule %s: %w", rule.Name, err)
	}
	r.schedules = append(r.schedules, schedule)
	r.onClose("schedule", func(context.Context) error { schedule.Close(); return nil })
	return nil
}

// patternRule returns a rule with a pattern for one of its targets.
func (s *services) patternRule(g *graph.Graph, rule, target *graph.Resource) (*eventbridge.Rule, error) {
	pattern, err := sns.ParsePattern(rule.String("eventPattern"))
	if err != nil {
		return nil, fmt.Errorf("reading its rule's eventPattern: %w", err)
	}
	for _, property := range []string{"deadLetterConfig", "inputPath", "inputTransformer", "roleArn"} {
		if target.Outputs[property] != nil {
			return nil, fmt.Errorf("the run does not support its %s", property)
		}
	}
	arn, source := target.String("arn"), rule.String("arn")
	log := s.log.With("part", "events", "rule", source, "target", arn)
	var deliver func(ctx context.Context, event []byte) error
	if f := (*s.functions.Load())[arn]; f != nil {
		deliver = func(request context.Context, event []byte) error {
			s.buses.Invoke(request, async.Invocation{
				What: "invocation by an event", Function: s.by(f, eventBridge, source), Event: event, Log: log,
				Done: events.MessageDelivered, Failed: events.MessageLost,
			})
			return nil
		}
	} else if g.Find(graph.Queue, "arn", arn) != nil {
		group, _ := target.Object("sqsTarget")["messageGroupId"].(string) // a FIFO queue requires it
		deliver = func(request context.Context, event []byte) error {
			queue := s.sqs.Queue(arn)
			if queue == nil {
				return errors.New("a client has deleted the queue")
			}
			_, err := queue.SendContext(request, sqs.SendInput{
				Body: string(event), TraceHeader: awsapi.TraceHeader(request), GroupID: group,
			})
			return err
		}
		deliver = s.allowed(source, "sqs:SendMessage", arn, deliver)
	} else if g.Find(graph.Topic, "arn", arn) != nil {
		deliver = func(request context.Context, event []byte) error {
			topic := s.topics.Topic(arn)
			if topic == nil {
				return errors.New("a client has deleted the topic")
			}
			_, err := topic.PublishContext(request, sns.Notification{Message: string(event)})
			return err
		}
		deliver = s.allowed(source, "sns:Publish", arn, deliver)
	} else {
		return nil, fmt.Errorf("the run passes events on to functions, queues and topics of the stack, not to %s", arn)
	}
	send := func(request context.Context, event []byte) {
		if constant := target.String("input"); constant != "" {
			event = []byte(constant)
		}
		if err := deliver(request, event); err != nil {
			log.WarnContext(request, "an event could not be delivered: it is lost", events.MessageLost.Attr(),
				"error", err)
		}
	}
	return &eventbridge.Rule{Bus: rule.BusName(), Pattern: pattern, Send: send}, nil
}

// allowed returns a delivery that needs a permission of EventBridge on behalf of a rule.
func (s *services) allowed(rule, action, resource string, deliver func(context.Context, []byte) error,
) func(context.Context, []byte) error {
	return func(ctx context.Context, event []byte) error {
		if err := s.authority.AuthorizeService(eventBridge, rule, action, resource); err != nil {
			return err
		}
		return deliver(ctx, event)
	}
}
