using System.Text.Json;
using Dapper;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Storage;

/// <summary>A stored version of channel settings.</summary>
internal sealed record StoredChannelSettings(ChannelSettings Settings, DateTimeOffset? CreateTime, string Actor);

/// <summary>Versions of channel settings; none is ever changed.</summary>
internal static class ChannelSettingsStore
{
    /// <summary>Makes changes of a workspace's settings wait for each other.</summary>
    public static Task Lock(Transaction<CaptureDbContext> tx) =>
        tx.Connection.ExecuteAsync(
            "select pg_advisory_xact_lock(hashtextextended('capture.channels/' || @id, 0))", new { id = tx.WorkspaceId.ToString() });

    /// <summary>The version asked for, or the one in force when 0; null when there is none.</summary>
    public static async Task<StoredChannelSettings?> Find(Transaction<CaptureDbContext> tx, int version = 0) =>
        (await tx.Connection.QuerySingleOrDefaultAsync<Row>(
            """
            select version, settings::text as settings, create_time, actor from channel_settings
            where workspace_id = @workspace and (@version = 0 or version = @version) order by version desc limit 1
            """,
            new { workspace = tx.WorkspaceId, version }))?.ToSettings();

    public static Task Add(Transaction<CaptureDbContext> tx, ChannelSettings settings, string actor) => tx.Connection.ExecuteAsync(
        """
        insert into channel_settings (workspace_id, version, settings, create_time, actor)
        values (@workspace, @version, @json::jsonb, @now, @actor)
        """,
        new
        {
            workspace = tx.WorkspaceId,
            version = settings.Version,
            json = JsonSerializer.Serialize(settings, JsonSerializerOptions.Web),
            now = tx.Now,
            actor
        });

    private sealed class Row
    {
        public int Version { get; init; }

        public required string Settings { get; init; }

        public DateTimeOffset CreateTime { get; init; }

        public required string Actor { get; init; }

        public StoredChannelSettings ToSettings() =>
            new(
                JsonSerializer.Deserialize<ChannelSettings>(Settings, JsonSerializerOptions.Web)! with { Version = Version },
                CreateTime, Actor);
    }
}
