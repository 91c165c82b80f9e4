using System.ComponentModel.DataAnnotations;
using Lifecycle.Capture.Features.ImportLeads;

namespace Lifecycle.Capture;

/// <summary>Section <c>Capture</c>.</summary>
public sealed class CaptureOptions
{
    public const string Section = "Capture";

    /// <summary>Messages that may wait for a commit; beyond it requests are answered with 503.</summary>
    [Range(100, 1_000_000)]
    public int MaxQueuedMessages { get; set; } = 20_000;

    /// <summary>
    /// Bytes of ingest requests, decompressed, that may be under way at once; beyond it requests are answered with 503. The process needs
    /// about five times as much for them.
    /// </summary>
    [Range(1024 * 1024, 1024 * 1024 * 1024)]
    public int MaxIngestBytes { get; set; } = 16 * 1024 * 1024;

    /// <summary>Messages after which a commit takes no further request.</summary>
    [Range(1, 100_000)]
    public int MaxCommitMessages { get; set; } = 2_000;

    /// <summary>
    /// Messages of a workspace waiting from which on its next commit begins while the one before still runs: it notes them and then waits
    /// for its turn. Fewer go together into one commit, which costs less.
    /// </summary>
    [Range(1, 1_000_000)]
    public int AheadMessages { get; set; } = 400;

    /// <summary>Commits that run at once, at most two of them of one workspace.</summary>
    [Range(1, 64)]
    public int Writers { get; set; } = 4;

    /// <summary>Messages in one batch.</summary>
    [Range(1, 100_000)]
    public int MaxBatchMessages { get; set; } = 5_000;

    /// <summary>Largest body of an ingest request, bytes, after decompression.</summary>
    [Range(1024, 64 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 5 * 1024 * 1024;

    /// <summary>How long a browser uses the tracking script, with the settings in it, before it asks again.</summary>
    [Range(0, 86_400)]
    public int ScriptCacheSeconds { get; set; } = 300;

    /// <summary>How long a replica goes by tracking settings that another may have changed.</summary>
    [Range(1, 3_600)]
    public int TrackingCacheSeconds { get; set; } = 10;

    /// <summary>Workspaces whose tracking settings are kept in memory, each with its script (about 20 KB).</summary>
    [Range(1, 100_000)]
    public int CachedTracking { get; set; } = 500;

    /// <summary>How long a message id deduplicates; at least the 7 days that the contract promises.</summary>
    [Range(7, 365)]
    public int DeduplicationDays { get; set; } = 8;

    /// <summary>Message ids deleted in one transaction by the cleaner.</summary>
    [Range(100, 100_000)]
    public int CleanerBatch { get; set; } = 5_000;

    /// <summary>Pause between rounds of the cleaner.</summary>
    [Range(1, 86_400)]
    public int CleanerSeconds { get; set; } = 300;

    /// <summary>
    /// Whole months that activities and sessions are kept beside the current one, for all workspaces; then their partitions are dropped. 0
    /// keeps them for ever. Leads, touches told on them and the counts of reports stay.
    /// </summary>
    [Range(0, 1200)]
    public int RetentionMonths { get; set; }

    /// <summary>Pause between rounds that apply the workspaces' data retention.</summary>
    [Range(1, 604_800)]
    public int DataRetentionSeconds { get; set; } = 6 * 3600;

    /// <summary>Time within which every service is expected to confirm an erasure; then it is asked again, with growing pauses.</summary>
    [Range(1, 86_400)]
    public int ErasureAskSeconds { get; set; } = 300;

    /// <summary>Pause between looks whether a table has doubled since its statistics were made.</summary>
    [Range(1, 86_400)]
    public int StatisticsSeconds { get; set; } = 5;

    /// <summary>Pause between rounds that add what commits changed of the counts to the rollups; reports see it before.</summary>
    [Range(1, 60)]
    public int RollupFoldSeconds { get; set; } = 1;

    /// <summary>Pause between looks whether a workspace's rollups must be rebuilt.</summary>
    [Range(1, 86_400)]
    public int RollupSeconds { get; set; } = 60;

    /// <summary>
    /// Referrers that never count as a source in any workspace, such as a company's sign-in: names with everything below them. Beside them
    /// stand the known payment and login hosts and each workspace's own list.
    /// </summary>
    public IReadOnlyList<string> ExcludedReferrers { get; set; } = [];

    /// <summary>
    /// Whether AI assistants are a channel of their own in workspaces that do not say; else their visits are Referral, as in GA4's default
    /// grouping.
    /// </summary>
    public bool AiAssistantChannel { get; set; } = true;

    /// <summary>Whether a sender that calls itself a browser and sends no Accept-Language is a robot.</summary>
    public bool BotsWithoutAcceptLanguage { get; set; } = true;

    /// <summary>Page views from which on the rate of an anonymous visitor's session is judged; 0 judges none.</summary>
    [Range(0, 1_000_000)]
    public int BotPageViews { get; set; } = 60;

    /// <summary>Pages a second, on average over a session, from which on it is a robot's.</summary>
    [Range(0.01, 1000)]
    public double BotPagesPerSecond { get; set; } = 2;

    /// <summary>
    /// Activities kept of a device that counts as a robot's, so that it can be declared human; what comes beyond is counted alone.
    /// </summary>
    [Range(0, 20_000)]
    public int BotKeptActivities { get; set; } = 5_000;

    /// <summary>
    /// Networks from which no person visits, as CIDR: what browsers send from them, or a server reports of visitors in them, is a robot's.
    /// None is given: which data centres exist changes by the week, and offices and VPNs live in them too.
    /// </summary>
    public IReadOnlyList<string> BotNetworks { get; set; } = [];

    /// <summary>How long a device counts as a robot's after its rate gave it away.</summary>
    [Range(1, 3650)]
    public int BotDays { get; set; } = 30;

    /// <summary>How long a process goes by the channel settings it has read: after it every replica knows of a change.</summary>
    [Range(1, 60)]
    public int ChannelSettingsSeconds { get; set; } = 3;

    /// <summary>Workspaces whose channel settings a process remembers.</summary>
    [Range(10, 1_000_000)]
    public int MaxCachedWorkspaces { get; set; } = 10_000;

    /// <summary>
    /// Leads of imports of which the other services hear a second, at most: less than they can handle, so that nothing live waits behind an
    /// import in their queues.
    /// </summary>
    [Range(ImportAnnouncements.Portion, 100_000)]
    public int ImportAnnouncementsPerSecond { get; set; } = 500;

    /// <summary>Pause between looks for leads of imports that another process left unannounced.</summary>
    [Range(1, 86_400)]
    public int ImportAnnouncementSeconds { get; set; } = 60;

    /// <summary>Rows that a reclassification treats in one transaction.</summary>
    [Range(1, 5_000)]
    public int ReclassificationBatch { get; set; } = 500;

    /// <summary>Pause between looks for reclassifications that another process left unfinished.</summary>
    [Range(1, 86_400)]
    public int ReclassificationSeconds { get; set; } = 60;
}
