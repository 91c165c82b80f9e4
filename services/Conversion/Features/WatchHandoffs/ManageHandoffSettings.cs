using System.Text.Json;
using Lifecycle.Conversion.Storage;
using Lifecycle.Conversion.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Microsoft.EntityFrameworkCore;
using Hours = Lifecycle.Conversion.Domain.Handoffs.WorkingHours;

namespace Lifecycle.Conversion.Features.WatchHandoffs;

/// <summary>How a workspace watches its hand-offs.</summary>
public sealed class ManageHandoffSettings(UnitOfWork<ConversionDbContext> work)
{
    private const int MaxMinutes = 100_000;

    public Task<HandoffSettings> Get(Caller caller, CancellationToken ct) => work.Read(
        caller.WorkspaceId, async tx => ToProto(await tx.Db.HandoffSettings.SingleOrDefaultAsync(ct)), ct);

    public async Task<Result<HandoffSettings>> Update(UpdateHandoffSettingsRequest request, Caller caller, string method,
        CancellationToken ct)
    {
        var violations = new Violations();
        violations.Require(
            request.ResponseMinutes is >= 0 and <= MaxMinutes, "responseMinutes", $"responseMinutes must lie between 0 and {MaxMinutes}.");
        var hours = request.WorkingHours is { } asked
            ? Hours.Parse(asked.Days, asked.Start, asked.End, asked.Holidays, "workingHours", violations)
            : null;
        var zone = request.WorkingHours?.TimeZone is { Length: > 0 } name ? name : null;
        violations.Require(
            zone is null || TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _), "workingHours.timeZone",
                $"{zone} is no time zone such as Europe/Berlin.");
        if (violations.ToError() is { } error)
        {
            return error;
        }

        return await work.RunIdempotent<HandoffSettings>(caller.WorkspaceId, method, request.RequestId, request, async tx =>
        {
            var row = await tx.Db.HandoffSettings.FromSql(
                $"select * from handoff_settings where workspace_id = {tx.WorkspaceId} for update")
                .SingleOrDefaultAsync(ct);
            if (row is null)
            {
                row = new HandoffSettingsRow { WorkspaceId = tx.WorkspaceId };
                tx.Db.HandoffSettings.Add(row);
            }

            (row.ResponseMinutes, row.TimeZone) = (request.ResponseMinutes, zone);
            row.WorkingHours = hours is null ? null : JsonSerializer.Serialize(hours, JsonSerializerOptions.Web);
            return ToProto(row);
        }, ct);
    }

    private static HandoffSettings ToProto(HandoffSettingsRow? row)
    {
        var settings = new HandoffSettings { ResponseMinutes = row?.ResponseMinutes ?? 0 };
        if (row?.WorkingHours is { } json)
        {
            var hours = JsonSerializer.Deserialize<Hours>(json, JsonSerializerOptions.Web)!;
            settings.WorkingHours = new WorkingHours
            {
                Days = { hours.DayNames },
                Start = Hours.Text(hours.StartMinute),
                End = Hours.Text(hours.EndMinute),
                TimeZone = row.TimeZone ?? "",
                Holidays = { hours.Holidays.Select(day => day.ToString("yyyy-MM-dd", null)) },
            };
        }

        return settings;
    }
}
