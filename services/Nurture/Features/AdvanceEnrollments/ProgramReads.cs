using Dapper;
using Lifecycle.Kernel.Expressions;
using Lifecycle.Nurture.Domain.Programs;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.AdvanceEnrollments;

/// <summary>Somebody on a path.</summary>
/// <param name="EnrollmentId">Empty for a lead that only tries the path.</param>
/// <param name="Path">Null where it is not known.</param>
/// <param name="StepId">Where it stands; null: it may come anywhere.</param>
internal sealed record ProgramReader(Guid EnrollmentId, Guid LeadId, ProgramPath? Path, string? StepId);

/// <summary>
/// What conditions and waits of a path ask for beyond the lead's row: what leads did, segments they are in, what became of mails. Read for
/// a whole batch at once, and only for those that may come to a step that asks for it in this advance.
/// </summary>
internal sealed class ProgramReads
{
    /// <summary>Nothing is known.</summary>
    public static readonly ProgramReads None = new();

    private ILookup<Guid, LeadActivity> activities = Array.Empty<(Guid Lead, LeadActivity Activity)>().ToLookup(
        row => row.Lead, row => row.Activity);
    private readonly Dictionary<Guid, HashSet<Guid>> members = [];
    private ILookup<Guid, SentMail> mails = Array.Empty<SentMail>().ToLookup(mail => mail.EnrollmentId);

    private ProgramReads()
    {
    }

    public static async Task<ProgramReads> Load(Transaction<NurtureDbContext> tx, ProgramStore programs, IEnumerable<ProgramReader> readers)
    {
        var (tallies, counted, placed, mailed) = (new HashSet<Tally>(), new HashSet<Guid>(), new HashSet<Guid>(), new HashSet<Guid>());
        foreach (var alike in readers.Where(reader => reader.Path is not null).GroupBy(reader => (reader.Path!, reader.StepId)))
        {
            var (path, stepId) = alike.Key;
            var steps = stepId is null ? path.Steps : path.Ahead(stepId);
            foreach (var condition in steps.OfType<BranchStep>().Select(step => programs.ConditionOf(step.Condition)).OfType<Condition>())
            {
                tallies.UnionWith(condition.Tallies);
                counted.UnionWith(condition.Tallies.Count > 0 ? alike.Select(reader => reader.LeadId) : []);
                placed.UnionWith(condition.Segments.Count > 0 ? alike.Select(reader => reader.LeadId) : []);
            }

            mailed.UnionWith(steps.Any(step => step is WaitEmailStep) ? alike.Select(reader => reader.EnrollmentId) : []);
        }

        mailed.Remove(Guid.Empty);
        if (counted.Count + placed.Count + mailed.Count == 0)
        {
            return None;
        }

        var reads = new ProgramReads { activities = await ActivityStore.Load(tx, counted, [.. tallies]) };
        foreach (var (lead, segment) in placed.Count == 0 ? [] : await tx.Connection.QueryAsync<(Guid, Guid)>(new CommandDefinition(
            "select lead_id, segment_id from segment_member where workspace_id = @workspace and lead_id = any(@leads)",
            new { workspace = tx.WorkspaceId, leads = placed.ToArray() },
            cancellationToken: tx.CancellationToken)))
        {
            reads.Members(lead).Add(segment);
        }

        // By the unique key on (workspace_id, enrollment_id, step_id, visit).
        reads.mails = mailed.Count == 0 ? reads.mails : (await tx.Connection.QueryAsync<SentMail>(new CommandDefinition(
            """
            select enrollment_id, step_id, visit, open_time, click_time from message
            where workspace_id = @workspace and enrollment_id = any(@enrollments)
            """,
            new { workspace = tx.WorkspaceId, enrollments = mailed.ToArray() },
            cancellationToken: tx.CancellationToken))).ToLookup(mail => mail.EnrollmentId);
        return reads;
    }

    /// <summary>What the lead did, and what became of mails to it, in order of time.</summary>
    public IReadOnlyList<LeadActivity> Activities(Guid leadId) => [.. activities[leadId]];

    /// <summary>Segments that the lead is in.</summary>
    public HashSet<Guid> Members(Guid leadId)
    {
        if (this == None)
        {
            return [];
        }

        if (!members.TryGetValue(leadId, out var places))
        {
            members.Add(leadId, places = []);
        }

        return places;
    }

    /// <summary>A step of the path changed a list.</summary>
    public void ChangeList(Guid leadId, Guid list, bool adds) => _ = adds ? Members(leadId).Add(list) : Members(leadId).Remove(list);

    /// <summary>When a person did what the step waits for with the enrollment's last mail; null: not yet.</summary>
    public DateTimeOffset? Engaged(Guid enrollmentId, WaitEmailStep wait) =>
        mails[enrollmentId].Where(mail => wait.IsOf(mail.StepId)).MaxBy(mail => mail.Visit) is not { } last ? null
            : EmailWaits.TimeOf(wait, last.OpenTime, last.ClickTime);

    private sealed class SentMail
    {
        public Guid EnrollmentId { get; init; }

        public string StepId { get; init; } = "";

        public int Visit { get; init; }

        public DateTimeOffset? OpenTime { get; init; }

        public DateTimeOffset? ClickTime { get; init; }
    }
}
