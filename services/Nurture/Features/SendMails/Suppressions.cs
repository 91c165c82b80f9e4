using Dapper;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Nurture.Storage;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Features.SendMails;

/// <summary>Addresses that get no mail.</summary>
internal static class Suppressions
{
    /// <summary>Suppresses a normalized address; where it is suppressed already, that stands.</summary>
    /// <returns>Whether it was not suppressed before.</returns>
    public static async Task<bool> Add(Transaction<NurtureDbContext> tx, string email, string reason) =>
        await tx.Connection.ExecuteScalarAsync<bool?>(new CommandDefinition(
            """
            insert into suppression (workspace_id, id, email_hash, email, reason, create_time) values (@workspace, @id, @hash, @email, @reason, @now)
            on conflict (workspace_id, email_hash) do update set email = excluded.email where suppression.email is null
            returning id = @id
            """,
            new { workspace = tx.WorkspaceId, id = tx.NewId(), hash = EmailAddress.Hash(email), email, reason, now = tx.Now },
            cancellationToken: tx.CancellationToken)) is true;

    /// <summary>Which of the addresses are suppressed.</summary>
    public static async Task<IReadOnlySet<string>> Among(Transaction<NurtureDbContext> tx, IReadOnlyCollection<string> emails)
    {
        var byHash = emails.Distinct().ToDictionary(email => Convert.ToHexString(EmailAddress.Hash(email)));
        var hashes = await tx.Connection.QueryAsync<byte[]>(new CommandDefinition(
            "select email_hash from suppression where workspace_id = @workspace and email_hash = any(@hashes)",
            new { workspace = tx.WorkspaceId, hashes = byHash.Keys.Select(Convert.FromHexString).ToArray() },
            cancellationToken: tx.CancellationToken));
        return hashes.Select(hash => byHash[Convert.ToHexString(hash)]).ToHashSet();
    }
}
