// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"context"

	"github.com/aws/smithy-go/metrics"
	"github.com/aws/smithy-go/tracing"
)

// tracers are those of a program's tracing library.
type tracers struct{ w *Witness }

func (t tracers) Tracer(scope string, opts ...tracing.TracerOption) tracing.Tracer {
	var o tracing.TracerOptions
	for _, opt := range opts {
		opt(&o)
	}
	t.w.note(Trace, scope)
	t.w.properties(Trace, o.Properties)
	return t
}

// StartSpan begins a span.
func (t tracers) StartSpan(ctx context.Context, name string,
	opts ...tracing.SpanOption) (context.Context, tracing.Span) {
	var o tracing.SpanOptions
	for _, opt := range opts {
		opt(&o)
	}
	t.w.note(Trace, name)
	t.w.properties(Trace, o.Properties)
	s := span{t.w, name}
	return tracing.WithSpan(ctx, s), s
}

type span struct {
	w    *Witness
	name string
}

func (s span) Name() string                 { return s.name }
func (s span) Context() tracing.SpanContext { return tracing.SpanContext{TraceID: "1", SpanID: "1"} }
func (s span) SetStatus(status tracing.SpanStatus) {
	s.w.note(Trace, status)
}
func (s span) SetProperty(k, v any) { s.w.note(Trace, k, v) }
func (s span) End()                 { s.w.note(Trace, "end of "+s.name) }

func (s span) AddEvent(name string, opts ...tracing.EventOption) {
	var o tracing.EventOptions
	for _, opt := range opts {
		opt(&o)
	}
	s.w.note(Trace, name)
	s.w.properties(Trace, o.Properties)
}

// meters are those of a program's metrics library.
type meters struct{ w *Witness }

func (m meters) Meter(scope string, opts ...metrics.MeterOption) metrics.Meter {
	var o metrics.MeterOptions
	for _, opt := range opts {
		opt(&o)
	}
	m.w.note(Metric, scope)
	m.w.properties(Metric, o.Properties)
	return meter{metrics.NopMeterProvider{}.Meter(scope), m.w}
}

// meter has the instruments that the SDK uses.
type meter struct {
	metrics.Meter
	w *Witness
}

func (m meter) Int64Counter(name string, _ ...metrics.InstrumentOption) (metrics.Int64Counter, error) {
	return instrument[int64]{m.w, name}, nil
}

func (m meter) Int64Histogram(name string, _ ...metrics.InstrumentOption) (metrics.Int64Histogram, error) {
	return instrument[int64]{m.w, name}, nil
}

func (m meter) Float64Histogram(name string, _ ...metrics.InstrumentOption) (metrics.Float64Histogram, error) {
	return instrument[float64]{m.w, name}, nil
}

type instrument[N int64 | float64] struct {
	w    *Witness
	name string
}

func (i instrument[N]) Add(_ context.Context, n N, opts ...metrics.RecordMetricOption) {
	i.measure(n, opts)
}

func (i instrument[N]) Record(_ context.Context, n N, opts ...metrics.RecordMetricOption) {
	i.measure(n, opts)
}

func (i instrument[N]) measure(n N, opts []metrics.RecordMetricOption) {
	var o metrics.RecordMetricOptions
	for _, opt := range opts {
		opt(&o)
	}
	i.w.note(Metric, i.name, n)
	i.w.properties(Metric, o.Properties)
}
