using Dapper;
using Lifecycle.Nurture.Domain.Emails;
using Lifecycle.Postgres;

namespace Lifecycle.Nurture.Storage;

/// <summary>How a person is named from outside: by one of these.</summary>
internal sealed record LeadName(Guid? LeadId, string? Email, string? ExternalId);

/// <summary>Finds leads by what people call them.</summary>
internal static class LeadFinder
{
    /// <summary>
    /// The lead of each name, in the order of the names; null where there is none, or the person was erased. A lead that was merged is the
    /// one that it became. Of several with one address, the latest.
    /// </summary>
    public static async Task<IReadOnlyList<Guid?>> Find(Transaction<NurtureDbContext> tx, IReadOnlyList<LeadName> names)
    {
        var emails = names.Select(name => EmailAddress.Normalize(name.Email)).ToArray();
        var rows = await tx.Connection.QueryAsync<(Guid? Id, string? Email, string? ExternalId, Guid Standing)>(new CommandDefinition(
            """
            select n.id, null::text, null::text, coalesce(l.merged_into, l.lead_id)
              from unnest(@ids) as n(id) join lead l on l.workspace_id = @workspace and l.lead_id = n.id
              where l.erase_time is null and (l.profile_version > 0 or l.merged_into is not null)
            union all
            select null, l.email, null, l.lead_id from lead l
              where l.workspace_id = @workspace and l.email = any(@emails) and l.profile_version > 0 and l.merged_into is null and l.erase_time is null
            union all
            select null, null, l.external_id, l.lead_id from lead l
              where l.workspace_id = @workspace and l.external_id = any(@externalIds) and l.profile_version > 0 and l.merged_into is null and l.erase_time is null
            order by 4
            """,
            new
            {
                workspace = tx.WorkspaceId,
                ids = names.Select(name => name.LeadId).OfType<Guid>().ToArray(),
                emails = emails.OfType<string>().ToArray(),
                externalIds = names.Select(name => name.ExternalId).OfType<string>().ToArray(),
            },
            cancellationToken: tx.CancellationToken));
        var (byId, byEmail, byExternalId) = (new Dictionary<Guid, Guid>(), new Dictionary<string, Guid>(), new Dictionary<string, Guid>());
        foreach (var (id, email, externalId, standing) in rows)
        {
            if (id is { } known)
            {
                byId[known] = standing;
            }
            else if (email is not null)
            {
                byEmail[email] = standing;
            }
            else
            {
                byExternalId[externalId!] = standing;
            }
        }

        return [.. names.Select((name, index) => Named(name, emails[index]))];

        Guid? Named(LeadName name, string? email) =>
            (name.LeadId is { } id && byId.TryGetValue(id, out var found))
            || (name.LeadId is null && email is not null && byEmail.TryGetValue(email, out found))
            || (name.LeadId is null && name.Email is null && name.ExternalId is not null
                && byExternalId.TryGetValue(name.ExternalId, out found))
                ? found : null;
    }
}
