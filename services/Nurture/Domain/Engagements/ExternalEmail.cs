namespace Lifecycle.Nurture.Domain.Engagements;

/// <summary>What another mail system tells of a mail, by Segment's event names.</summary>
public enum ExternalEmailFact
{
    Sent = 1,
    Delivered = 2,
    Opened = 3,
    Clicked = 4,
    Unsubscribed = 5,
    Bounced = 6,
}

/// <summary>Segment's e-mail events.</summary>
public static class ExternalEmail
{
    private static readonly Dictionary<string, ExternalEmailFact> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Email Sent"] = ExternalEmailFact.Sent,
        ["Email Delivered"] = ExternalEmailFact.Delivered,
        ["Email Opened"] = ExternalEmailFact.Opened,
        ["Email Link Clicked"] = ExternalEmailFact.Clicked,
        ["Email Clicked"] = ExternalEmailFact.Clicked,
        ["Unsubscribed"] = ExternalEmailFact.Unsubscribed,
        ["Email Unsubscribed"] = ExternalEmailFact.Unsubscribed,
        ["Email Bounced"] = ExternalEmailFact.Bounced,
    };

    /// <summary>The fact that an activity's name tells, or null when it is about no mail.</summary>
    public static ExternalEmailFact? FactOf(string activityName) => Names.TryGetValue(activityName, out var fact) ? fact : null;

    /// <summary>Whether an activity is the person's own doing; a mail that is sent to somebody is not.</summary>
    public static bool IsEngagement(string activityType, string activityName) =>
        activityType is not ("IDENTIFY" or "GROUP")
        && FactOf(activityName) is not (
            ExternalEmailFact.Sent or ExternalEmailFact.Delivered or ExternalEmailFact.Bounced or ExternalEmailFact.Unsubscribed);
}
