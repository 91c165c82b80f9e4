using System.Text.Json;
using Dapper;
using Lifecycle.Capture.Domain.Tracking;
using Lifecycle.Postgres;

namespace Lifecycle.Capture.Storage;

/// <summary>Reads and writes tracking settings.</summary>
internal static class TrackingStore
{
    /// <summary>The workspace's settings and when they were put; the defaults without a time where it has put none.</summary>
    public static async Task<(TrackingSettings Settings, DateTimeOffset? Updated)> Load(Transaction<CaptureDbContext> tx)
    {
        var row = await tx.Connection.QuerySingleOrDefaultAsync<TrackingSettingsRow>(
            "select workspace_id, settings, update_time from tracking_settings where workspace_id = @workspace",
            new { workspace = tx.WorkspaceId });
        return row is null
            ? (TrackingSettings.Default, null)
            : (JsonSerializer.Deserialize<TrackingSettings>(row.Settings, JsonSerializerOptions.Web)!, row.UpdateTime);
    }

    public static Task Save(Transaction<CaptureDbContext> tx, TrackingSettings settings) => tx.Connection.ExecuteAsync(
        """
        insert into tracking_settings (workspace_id, settings, update_time) values (@workspace, @settings::jsonb, @now)
        on conflict (workspace_id) do update set settings = excluded.settings, update_time = excluded.update_time
        """,
        new { workspace = tx.WorkspaceId, settings = JsonSerializer.Serialize(settings, JsonSerializerOptions.Web), now = tx.Now });
}
