using Dapper;
using Lifecycle.Postgres;

namespace Lifecycle.Conversion.Storage;

/// <summary>What of frozen journeys may name a person.</summary>
public static class JourneyErasure
{
    /// <summary>
    /// Takes the landing pages out of the journeys of the leads; channels, campaigns and times stay, so that credit does.
    /// </summary>
    /// <returns>Journeys changed.</returns>
    public static async Task<long> StripPages(Transaction<ConversionDbContext> tx, IReadOnlyCollection<Guid> leads)
    {
        var changed = 0L;
        foreach (var table in new[] { "journey", "stage_journey" })
        {
            changed += await tx.Connection.ExecuteAsync(new CommandDefinition(
                $"""
                update {table} set touches = (
                  select coalesce(jsonb_agg(touch - 'landingPage' order by place), '[]') from jsonb_array_elements(touches) with ordinality as part(touch, place))
                where workspace_id = @workspace and lead_id = any(@leads) and jsonb_path_exists(touches, '$[*] ? (@.landingPage != null)')
                """,
                new { workspace = tx.WorkspaceId, leads = leads.ToArray() },
                cancellationToken: tx.CancellationToken));
        }

        return changed;
    }
}
