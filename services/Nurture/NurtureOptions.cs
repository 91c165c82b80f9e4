using System.ComponentModel.DataAnnotations;

namespace Lifecycle.Nurture;

/// <summary>Settings of the section <c>Nurture</c> (<c>Nurture__…</c> in the environment), checked at start.</summary>
public sealed class NurtureOptions
{
    public const string Section = "Nurture";

    /// <summary>Where people reach the gateway; links in mails begin with it.</summary>
    [Required, Url]
    public string PublicBaseUrl { get; set; } = "http://localhost:8080";

    /// <summary>Sender of mails whose template names none.</summary>
    [Required, EmailAddress]
    public string FromAddress { get; set; } = "hello@lifecycle.example";

    /// <summary>Right side of Message-IDs, and the name that the service greets the mail server with.</summary>
    [Required, RegularExpression("^[A-Za-z0-9.-]{1,200}$")]
    public string MailDomain { get; set; } = "lifecycle.example";

    /// <summary>Connections to the mail server.</summary>
    [Range(1, 100)]
    public int SmtpConnections { get; set; } = 4;

    /// <summary>Time for one mail, connecting included.</summary>
    [Range(1, 300)]
    public int SmtpTimeoutSeconds { get; set; } = 30;

    /// <summary>How long an unused connection is kept.</summary>
    [Range(0, 300)]
    public int SmtpIdleSeconds { get; set; } = 10;

    /// <summary>
    /// How long a mail may be in the making before another worker takes it over; longer than <see cref="SmtpTimeoutSeconds"/>, or two
    /// workers could send the same mail.
    /// </summary>
    [Range(2, 3600)]
    public int SendLeaseSeconds { get; set; } = 60;

    /// <summary>First wait after the mail server deferred a mail; doubles up to an hour.</summary>
    [Range(0.1, 3600)]
    public double SendRetrySeconds { get; set; } = 15;

    /// <summary>Attempts after which a mail is given up.</summary>
    [Range(1, 100)]
    public int SendAttempts { get; set; } = 24;

    /// <summary>How long a mail waits for the profile of a lead of whom only other events have come.</summary>
    [Range(1, 86400)]
    public int ProfileWaitSeconds { get; set; } = 3600;

    /// <summary>Rows of one batch of due work.</summary>
    [Range(1, 5000)]
    public int BatchSize { get; set; } = 200;

    /// <summary>
    /// Most mails that a worker claims at a time. It claims fewer while the mail server is slow, so that none outlives its lease.
    /// </summary>
    [Range(1, 1000)]
    public int SendBatchSize { get; set; } = 200;

    /// <summary>Longest time until due work is seen; a change seen by this process wakes its workers at once.</summary>
    [Range(0.02, 60)]
    public double PollSeconds { get; set; } = 1;

    /// <summary>How long a step may be over before its lead counts as standing still.</summary>
    [Range(1, 86400)]
    public int StallSeconds { get; set; } = 900;

    /// <summary>How often the watchdog looks for leads that stand still.</summary>
    [Range(0.1, 3600)]
    public double WatchSeconds { get; set; } = 30;

    /// <summary>
    /// How long a database session may idle within a transaction while leads that stand still are locked, before the watchdog ends it.
    /// </summary>
    [Range(1, 86400)]
    public int HangSeconds { get; set; } = 300;

    /// <summary>A click sooner than this after the sending counts as suspect. Small, since a waiting person is fast too.</summary>
    [Range(0, 60)]
    public double FastClickSeconds { get; set; } = 1;

    /// <summary>
    /// Following every link of a mail within this time counts as suspect; also how long a hit waits to be judged with its neighbours.
    /// </summary>
    [Range(0, 60)]
    public double EngagementHoldSeconds { get; set; } = 2;

    /// <summary>Hits kept per mail; later ones are answered but not recorded.</summary>
    [Range(1, 10000)]
    public int HitsPerMail { get; set; } = 100;

    /// <summary>Leads that one call of a segment preview judges at most; its answer says how to go on.</summary>
    [Range(1, 1_000_000)]
    public int PreviewLeads { get; set; } = 100_000;

    /// <summary>
    /// Leads of one page of a segment's first build. Changes of leads wait while pages are judged, about a tenth of a second at a time.
    /// </summary>
    [Range(1, 100_000)]
    public int SegmentPageSize { get; set; } = 5_000;

    /// <summary>Days for which activities are kept for the counts of segments.</summary>
    [Range(1, 3660)]
    public int ActivityDays { get; set; } = 400;
}
