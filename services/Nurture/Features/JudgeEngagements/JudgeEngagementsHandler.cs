using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Nurture.Domain.Engagements;
using Lifecycle.Nurture.Features.EnrollLead;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Jobs;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.JudgeEngagements;

/// <summary>
/// Tells people's opens and clicks from machines', once their neighbours are known too. Each hit is judged and published once; only
/// people's set the mail's first opening and click.
/// </summary>
internal sealed class JudgeEngagementsHandler(
    UnitOfWork<NurtureDbContext> unitOfWork, IOptions<NurtureOptions> options, NurtureTelemetry telemetry,
    JudgeLeadHandler segments, EmailWaits waits)
    : ITimerWork
{
    /// <summary>A hit on a mail whose sending is not marked yet waits for that.</summary>
    private static readonly TimeSpan SendPoll = TimeSpan.FromSeconds(2);

    /// <summary>A hit on a mail whose enrollment is being moved waits for that.</summary>
    private static readonly TimeSpan EnrollmentPoll = TimeSpan.FromSeconds(0.5);

    public async Task<bool> RunBatch(Guid workspaceId, CancellationToken ct)
    {
        var worked = false;
        await unitOfWork.Run(workspaceId, async tx => worked = await JudgeOneMail(tx), ct);
        return worked;
    }

    /// <summary>Judges every due hit of the first mail with one that no other worker has.</summary>
    private async Task<bool> JudgeOneMail(Transaction<NurtureDbContext> tx)
    {
        // The mail is locked, not the hits: whoever judges a mail judges it alone.
        var message = await tx.Connection.QueryFirstOrDefaultAsync<MessageRow>(new CommandDefinition(
            """
            select m.* from engagement e join message m on m.workspace_id = e.workspace_id and m.id = e.message_id
            where e.workspace_id = @workspace and e.due_time <= @now
            order by e.due_time limit 1 for update of m skip locked
            """,
            new { workspace = tx.WorkspaceId, now = tx.Now },
            cancellationToken: tx.CancellationToken));
        if (message is null)
        {
            return false;
        }

        var parameters = new { workspace = tx.WorkspaceId, id = message.Id, later = tx.Now + SendPoll, now = tx.Now };
        if (message.SendTime is not { } sentAt)
        {
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                "update engagement set due_time = @later where workspace_id = @workspace and message_id = @id and due_time <= @now",
                parameters,
                cancellationToken: tx.CancellationToken));
            return true;
        }

        var (isFree, enrollment) = await EmailWaits.TryLock(tx, message);
        if (!isFree)
        {
            // Something happens to the lead, or it comes to a wait for this very mail, at this moment. Waiting here, with the mail locked,
            // could close a circle.
            await tx.Connection.ExecuteAsync(new CommandDefinition(
                "update engagement set due_time = @later where workspace_id = @workspace and message_id = @id and due_time <= @now",
                new { workspace = tx.WorkspaceId, id = message.Id, later = tx.Now + EnrollmentPoll, now = tx.Now },
                cancellationToken: tx.CancellationToken));
            return true;
        }

        var rows = (await tx.Connection.QueryAsync<EngagementRow>(new CommandDefinition(
            "select * from engagement where workspace_id = @workspace and message_id = @id and kind in ('OPEN', 'CLICK') order by time, id",
            parameters,
            cancellationToken: tx.CancellationToken))).AsList();
        var hits = rows.ConvertAll(ToHit);
        var rules = new ClassifierRules(
            TimeSpan.FromSeconds(options.Value.FastClickSeconds), TimeSpan.FromSeconds(options.Value.EngagementHoldSeconds));
        for (var index = 0; index < rows.Count; index++)
        {
            if (rows[index].DueTime <= tx.Now)
            {
                var verdict = EngagementClassifier.Classify(
                    hits[index], sentAt, [.. hits.Where(other => !ReferenceEquals(other, hits[index]))], message.Links.Length, rules);
                await Judge(tx, message, rows[index], verdict);
                telemetry.HitsJudged.Add(1, new KeyValuePair<string, object?>("classification", verdict.Classification.ToString()));
            }
        }

        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update message set open_time = @OpenTime, click_time = @ClickTime, version = @Version
            where workspace_id = @WorkspaceId and id = @Id
            """,
            message,
            cancellationToken: tx.CancellationToken));
        await waits.Engaged(tx, enrollment, message);
        await segments.MailChanged(tx, true, message.LeadId);
        return true;
    }

    private static async Task Judge(Transaction<NurtureDbContext> tx, MessageRow message, EngagementRow row, Verdict verdict)
    {
        var classification = verdict.Classification.ToString().ToUpperInvariant();
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update engagement set due_time = null, classification = @classification, reason = @reason
            where workspace_id = @workspace and id = @id
            """,
            new { workspace = tx.WorkspaceId, id = row.Id, classification, reason = verdict.Reason },
            cancellationToken: tx.CancellationToken));
        var isUnique = false;
        if (verdict.Classification == Classification.Human)
        {
            isUnique = row.Kind == "OPEN" ? message.OpenTime is null : message.ClickTime is null;
            if (row.Kind == "OPEN")
            {
                message.OpenTime ??= row.Time;
            }
            else
            {
                message.ClickTime ??= row.Time;
            }

            await Reopenings.Engaged(tx, message.LeadId, row.Time);
        }

        message.Version++;
        tx.Publish(new EmailEngaged(
            tx.NewId(), tx.WorkspaceId, row.Time, message.Version,
            row.Id, message.Id, message.LeadId, message.ProgramId, row.Kind, classification, row.Url, isUnique));
    }

    private static Hit ToHit(EngagementRow row) => new(
        row.Kind == "OPEN" ? EngagementKind.Open : EngagementKind.Click,
        row.Time,
        row.Method,
        row.UserAgent,
        row.Client,
        row.LinkIndex,
        row.Honeypot);
}
