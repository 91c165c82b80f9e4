using System.Text.Json;
using Dapper;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Kernel;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Storage;

/// <summary>
/// Traits told by messages that make nobody known: an identify call without e-mail and user id, and group calls. They belong to whoever the
/// activity is placed with, now or when the device's person becomes known.
/// </summary>
internal static class Observations
{
    private static readonly JsonElement Nothing = JsonDocument.Parse("{}").RootElement;

    /// <summary>Whether an activity of this type, with this kind of key, may tell traits.</summary>
    public static bool Tells(string type, string? identityKind) =>
        type == ActivityTypes.Group || (type == ActivityTypes.Identify && identityKind is null or IdentityKey.Phone);

    /// <summary>What the stored activities of leads tell; a lead without any is there with an empty profile.</summary>
    public static async Task<Dictionary<Guid, Profile>> Load(Transaction<CaptureDbContext> tx, IReadOnlyCollection<Guid> leads)
    {
        var profiles = leads.ToDictionary(lead => lead, _ => new Profile());
        var rows = leads.Count == 0 ? [] : await tx.Connection.QueryAsync<Row>(
            """
            select lead_id, type, time, properties::text as properties from activity
            where workspace_id = @workspace and lead_id = any(@leads)
              and (type = 'GROUP' or (type = 'IDENTIFY' and (identity_kind is null or identity_kind = 'phone')))
            """,
            new { workspace = tx.WorkspaceId, leads = leads.ToArray() });
        foreach (var row in rows)
        {
            using var document = JsonDocument.Parse(row.Properties);
            var person = PersonReader.Read(
                new(row.Type.ToLowerInvariant(), row.Type, row.Time, null, null, Nothing, document.RootElement), new Violations());
            foreach (var fact in person.Capture is null ? person.Facts : [])
            {
                profiles[row.LeadId].Set(fact.Key, fact.Json, row.Time);
            }
        }

        return profiles;
    }

    private sealed class Row
    {
        public Guid LeadId { get; init; }

        public required string Type { get; init; }

        public DateTimeOffset Time { get; init; }

        public required string Properties { get; init; }
    }
}
