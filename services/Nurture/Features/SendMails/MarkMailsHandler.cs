using Dapper;
using Lifecycle.Contracts;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Domain.Segments;
using Lifecycle.Nurture.Features.JudgeSegments;
using Lifecycle.Nurture.Mail;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Lifecycle.Nurture.Features.SendMails;

/// <summary>A mail that was handed over, and what came of it.</summary>
internal sealed record HandedMail(ClaimedMail Mail, SendResult Result);

/// <summary>Marks what became of mails, with their events, in one transaction for all of them.</summary>
internal sealed class MarkMailsHandler(
    UnitOfWork<NurtureDbContext> unitOfWork,
    SegmentStore segments,
    JudgeLeadHandler judge,
    IOptions<NurtureOptions> options,
    NurtureTelemetry telemetry)
{
    private static readonly TimeSpan LongestRetry = TimeSpan.FromHours(1);

    /// <summary>What the server took is marked, also while the process is being stopped.</summary>
    public async Task Mark(Guid workspaceId, IReadOnlyList<HandedMail> mails)
    {
        var states = new List<string>();
        var accepted = mails.Where(mail => mail.Result.Outcome == SendOutcome.Accepted).Select(mail => mail.Mail)
            .ToDictionary(mail => mail.Id);
        await unitOfWork.Run(
            workspaceId,
            (tx, batch) =>
            {
                batch.BatchCommands.Add(Set(tx, [.. accepted.Keys], MessageRow.Sent, null));
                SegmentStore.AddRevision(batch, tx.WorkspaceId);
            },
            async (tx, results) =>
            {
                states.Clear();
                var sent = await Read(results);
                var revision = await results.NextResultAsync() && await results.ReadAsync() ? results.GetInt64(0) : 0;
                await results.DisposeAsync();
                var graph = await segments.Graph(tx, revision);
                judge.MailChanged(tx, graph, false, Tell(tx, sent, accepted, states));
                await MarkOthers(tx, mails.Where(mail => mail.Result.Outcome != SendOutcome.Accepted), graph, states);
            },
            CancellationToken.None);
        foreach (var state in states)
        {
            Count(state);
        }
    }

    /// <summary>Gives mails back that were claimed and not handed over. Those that another worker has claimed since are its own.</summary>
    public Task GiveBack(Guid workspaceId, IReadOnlyCollection<ClaimedMail> mails) => unitOfWork.Run(
        workspaceId,
        tx => tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update message m set state = 'PENDING', due_time = @now, attempts = m.attempts - 1
            from unnest(@ids, @attempts) as n(id, attempts)
            where m.workspace_id = @workspace and m.id = n.id and m.state = 'SENDING' and m.attempts = n.attempts
            """,
            new
            {
                workspace = tx.WorkspaceId,
                ids = mails.Select(mail => mail.Id).ToArray(),
                attempts = mails.Select(mail => mail.Attempt).ToArray(),
                now = tx.Now,
            },
            cancellationToken: tx.CancellationToken)),
        CancellationToken.None);

    /// <returns>The leads.</returns>
    private static List<Guid> Tell(
        Transaction<NurtureDbContext> tx, List<MarkedMail> sent, Dictionary<Guid, ClaimedMail> accepted, List<string> states)
    {
        foreach (var marked in sent)
        {
            var mail = accepted[marked.Id];
            tx.Publish(new EmailSent(
                tx.NewId(), tx.WorkspaceId, tx.Now, marked.Version, mail.Id, marked.LeadId, mail.ProgramId,
                mail.StepId, mail.Content.Subject));
            states.Add(MessageRow.Sent);
        }

        return sent.ConvertAll(marked => marked.LeadId);
    }

    private async Task MarkOthers(Transaction<NurtureDbContext> tx, IEnumerable<HandedMail> mails, SegmentGraph graph, List<string> states)
    {
        // In order of the address, so that two groups never wait for each other's suppressions.
        foreach (var (mail, result) in mails.OrderBy(mail => mail.Mail.Content.ToAddress, StringComparer.Ordinal))
        {
            if (result.Outcome == SendOutcome.Deferred && mail.Attempt < options.Value.SendAttempts)
            {
                await Defer(tx, mail, result.Detail);
                states.Add(MessageRow.Pending);
                continue;
            }

            var state = result.Outcome == SendOutcome.RecipientRefused ? MessageRow.Bounced : MessageRow.Failed;
            await using var batch = new NpgsqlBatch(tx.Connection, tx.DbTransaction);
            batch.BatchCommands.Add(Set(tx, [mail.Id], state, result.Detail));
            List<MarkedMail> marked;
            await using (var results = await batch.ExecuteReaderAsync())
            {
                marked = await Read(results);
            }

            states.AddRange(marked.Select(_ => state));
            if (state == MessageRow.Bounced && marked.Count > 0)
            {
                await Bounce(tx, mail, marked[0]);
                judge.MailChanged(tx, graph, false, [marked[0].LeadId]);
            }
        }
    }

    /// <summary>Ends the sending of those that no other worker has ended already, which are returned.</summary>
    private static NpgsqlBatchCommand Set(Transaction<NurtureDbContext> tx, Guid[] ids, string state, string? detail) => new(
        """
        update message set state = $3, detail = $4, due_time = null, version = version + 1,
          send_time = case when $3 = 'FAILED' then null else $5 end,
          deliver_time = case when $3 = 'SENT' then $5 end,
          bounce_time = case when $3 = 'BOUNCED' then $5 end
        where workspace_id = $1 and id = any($2) and state = 'SENDING'
        returning id, lead_id, version
        """)
    {
        Parameters =
        {
            Bulk.Value(tx.WorkspaceId),
            Bulk.Array(NpgsqlDbType.Uuid, ids),
            Bulk.Value(state),
            new NpgsqlParameter { Value = detail ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text },
            Bulk.Value(tx.Now),
        },
    };

    private static async Task<List<MarkedMail>> Read(NpgsqlDataReader results)
    {
        var marked = new List<MarkedMail>();
        while (await results.ReadAsync())
        {
            marked.Add(new(results.GetGuid(0), results.GetGuid(1), results.GetInt64(2)));
        }

        return marked;
    }

    private static async Task Bounce(Transaction<NurtureDbContext> tx, ClaimedMail mail, MarkedMail marked)
    {
        var activity = tx.NewId();
        await Suppressions.Add(tx, mail.Content.ToAddress, "BOUNCED");
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into engagement (workspace_id, id, message_id, kind, time, method, honeypot, classification, reason)
            values (@workspace, @activity, @id, 'BOUNCE', @now, '', false, 'HUMAN', 'MAIL_SERVER')
            """,
            new { workspace = tx.WorkspaceId, activity, id = mail.Id, now = tx.Now },
            cancellationToken: tx.CancellationToken));
        tx.Publish(new EmailEngaged(
            tx.NewId(), tx.WorkspaceId, tx.Now, marked.Version, activity, mail.Id, marked.LeadId, mail.ProgramId,
            "BOUNCE", "HUMAN", null, true));
    }

    private async Task Defer(Transaction<NurtureDbContext> tx, ClaimedMail mail, string detail)
    {
        var pause = RetryDelay.After(
            mail.Attempt, TimeSpan.FromSeconds(options.Value.SendRetrySeconds), LongestRetry, Random.Shared.NextDouble());
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            update message set state = 'PENDING', detail = @detail, due_time = @due, slot_time = null
            where workspace_id = @workspace and id = @id and state = 'SENDING'
            """,
            new { workspace = tx.WorkspaceId, id = mail.Id, detail, due = tx.Now + pause },
            cancellationToken: tx.CancellationToken));
    }

    private void Count(string state)
    {
        switch (state)
        {
            case MessageRow.Sent:
                telemetry.MailsSent.Add(1);
                break;
            case MessageRow.Pending:
                telemetry.MailsDeferred.Add(1);
                break;
            default:
                telemetry.MailsFailed.Add(1, new KeyValuePair<string, object?>("outcome", state));
                break;
        }
    }

    private readonly record struct MarkedMail(Guid Id, Guid LeadId, long Version);
}
