using System.Security.Cryptography;
using System.Text;
using Dapper;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Domain.Engagements;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;
using Microsoft.Extensions.Options;

namespace Lifecycle.Nurture.Features.RecordHits;

/// <summary>Records opens and clicks. Who did it is judged a moment later, together with its neighbours.</summary>
internal sealed class RecordHitHandler(UnitOfWork<NurtureDbContext> unitOfWork, IOptions<NurtureOptions> options)
{
    /// <summary>Records a hit, up to a bound per mail.</summary>
    /// <returns>Target of a link; empty for the hidden link and the pixel; null for a mail or link that is not (any more) there.</returns>
    public async Task<string?> Record(EmailToken token, EngagementKind kind, Visit visit, CancellationToken ct)
    {
        string? target = null;
        await unitOfWork.Run(token.WorkspaceId, async tx => target = await Record(tx, token, kind, visit), ct);
        return target;
    }

    /// <summary>The client's address and the mail, hashed: the same client has another name in every mail.</summary>
    public static string ClientHash(Guid messageId, string client) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{messageId:N}|{client}")).AsSpan(0, 8));

    private async Task<string?> Record(Transaction<NurtureDbContext> tx, EmailToken token, EngagementKind kind, Visit visit)
    {
        var message = await tx.Connection.QuerySingleOrDefaultAsync<Target>(new CommandDefinition(
            "select links[@index] as url, cardinality(links) as count from message where workspace_id = @workspace and id = @id",
            new { workspace = tx.WorkspaceId, id = token.MessageId, index = token.LinkIndex + 1 },
            cancellationToken: tx.CancellationToken));
        var isHoneypot = kind == EngagementKind.Click && token.LinkIndex == EmailToken.Honeypot;
        if (message is null || (kind == EngagementKind.Click && !isHoneypot && message.Url is null))
        {
            return null;
        }

        var url = kind == EngagementKind.Click ? message.Url : null;
        await tx.Connection.ExecuteAsync(new CommandDefinition(
            """
            insert into engagement (workspace_id, id, message_id, kind, time, method, user_agent, client, link_index, url, honeypot, due_time)
            select @workspace, @id, @message, @kind, @now, @method, @userAgent, @client, @link, @url, @isHoneypot, @due
            where (select count(*) from engagement where workspace_id = @workspace and message_id = @message) < @limit
            """,
            new
            {
                workspace = tx.WorkspaceId,
                id = tx.NewId(),
                message = token.MessageId,
                kind = kind.ToString().ToUpperInvariant(),
                now = tx.Now,
                method = visit.Method,
                userAgent = visit.UserAgent,
                client = ClientHash(token.MessageId, visit.Client),
                link = kind == EngagementKind.Click && !isHoneypot ? (int?)token.LinkIndex : null,
                url,
                isHoneypot,
                due = tx.Now + TimeSpan.FromSeconds(options.Value.EngagementHoldSeconds),
                limit = options.Value.HitsPerMail,
            },
            cancellationToken: tx.CancellationToken));
        return url ?? "";
    }

    private sealed class Target
    {
        public string? Url { get; init; }

        public int Count { get; init; }
    }
}
