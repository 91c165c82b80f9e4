using System.Diagnostics.Metrics;

namespace Lifecycle.Retention;

/// <summary>Measures of the service's own work.</summary>
internal static class RetentionTelemetry
{
    private static readonly Meter Meter = new("Lifecycle.Retention");

    /// <summary>Entries appended to revenue ledgers.</summary>
    public static readonly Counter<long> RevenueAppended = Meter.CreateCounter<long>("lifecycle.retention.revenue.append", "{entry}");

    /// <summary>Survey answers recorded.</summary>
    public static readonly Counter<long> AnswersRecorded = Meter.CreateCounter<long>("lifecycle.retention.answer.record", "{answer}");

    /// <summary>Invitations to surveys handed to Nurture.</summary>
    public static readonly Counter<long> InvitationsSent = Meter.CreateCounter<long>("lifecycle.retention.invitation.send", "{invitation}");
}
