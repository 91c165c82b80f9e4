using System.Diagnostics.Metrics;

namespace Lifecycle.Nurture;

/// <summary>Counters of the service, meter <c>Lifecycle.Nurture</c>.</summary>
internal sealed class NurtureTelemetry
{
    public const string MeterName = "Lifecycle.Nurture";

    public NurtureTelemetry(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        StepsCompleted = meter.CreateCounter<long>("lifecycle.nurture.steps.completed", "{step}", "Steps that leads passed.");
        MailsSent = meter.CreateCounter<long>("lifecycle.nurture.mails.sent", "{mail}", "Mails that the mail server took.");
        MailsFailed = meter.CreateCounter<long>(
            "lifecycle.nurture.mails.failed", "{mail}", "Mails refused, given up or skipped, by outcome.");
        MailsDeferred = meter.CreateCounter<long>("lifecycle.nurture.mails.deferred", "{mail}", "Attempts that ended in a later one.");
        HitsJudged = meter.CreateCounter<long>("lifecycle.nurture.hits.judged", "{hit}", "Opens and clicks, by classification.");
        StallsFound = meter.CreateCounter<long>(
            "lifecycle.nurture.stalls.found", "{enrollment}", "Enrollments that the watchdog found standing still.");
        StallsEnded = meter.CreateCounter<long>(
            "lifecycle.nurture.stalls.ended", "{enrollment}", "Enrollments that went on after they were found.");
        SendDuration = meter.CreateHistogram<double>("lifecycle.nurture.mail.duration", "s", "Time that the mail server took for a mail.");
    }

    public Counter<long> StepsCompleted { get; }

    public Counter<long> MailsSent { get; }

    public Counter<long> MailsFailed { get; }

    public Counter<long> MailsDeferred { get; }

    public Counter<long> HitsJudged { get; }

    public Counter<long> StallsFound { get; }

    public Counter<long> StallsEnded { get; }

    public Histogram<double> SendDuration { get; }
}
