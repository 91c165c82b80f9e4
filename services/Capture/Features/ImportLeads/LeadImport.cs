using System.Text.Json;
using Grpc.Core;
using Lifecycle.Capture.Domain;
using Lifecycle.Capture.Domain.Channels;
using Lifecycle.Capture.Domain.Identities;
using Lifecycle.Capture.Domain.Leads;
using Lifecycle.Capture.Domain.Messages;
using Lifecycle.Capture.Features.ChangeLeads;
using Lifecycle.Capture.Features.IngestMessages;
using Lifecycle.Capture.Features.ManageChannels;
using Lifecycle.Capture.Jobs;
using Lifecycle.Capture.Storage;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;
using Touch = Lifecycle.Capture.Domain.Leads.Touch;

namespace Lifecycle.Capture.Features.ImportLeads;

/// <summary>
/// Imports leads (see <see cref="ImportRun{TRow}"/>). A dry run counts a lead that occurs far apart in a file as created each time. The
/// other services hear of the leads afterwards (see <see cref="ImportAnnouncements"/>).
/// </summary>
internal sealed class LeadImport(UnitOfWork<CaptureDbContext> work, ChannelsCache channels, ImportSignal announcer, TimeProvider time)
{
    private static readonly HashSet<string> OwnColumns = new(StringComparer.OrdinalIgnoreCase)
    {
        "id", "email", "externalId", "userId", "createTime", "captureType", "formType", "source", "medium", "campaign", "keyword",
        "landingPage", "channel",
    };

    public async Task<Result<ImportResponse>> Import(Caller caller, IAsyncStreamReader<ImportChunk> stream, CancellationToken ct)
    {
        var sources = await channels.Get(caller.WorkspaceId);
        return await ImportRun<LeadRowRead>.Run(
            work, caller, "leads", stream, row => Read(row, sources.Channels, caller.TimeZone),
            (tx, rows, tally) => Write(tx, sources, rows, tally), () => announcer.Ring(caller.WorkspaceId), ct);
    }

    private static async Task Write(
        Transaction<CaptureDbContext> tx, SourceReader sources, IReadOnlyList<LeadRowRead> rows, ImportTally tally)
    {
        var changes = await ChangeSet.Open(tx, sources, rows.SelectMany(row => row.Person.Keys), []);
        foreach (var row in rows)
        {
            WriteRow(row, changes, tally);
        }

        await changes.ApplyImport();
    }

    private static void WriteRow(LeadRowRead row, ChangeSet changes, ImportTally tally)
    {
        var owners = row.Person.Keys.Select(changes.Resolver.OwnerOf).OfType<Guid>().Distinct().ToArray();
        if (owners.Length > 1)
        {
            tally.Reject(row.Line, Error.Invalid(
                "email", $"email belongs to lead {owners[1]} and externalId to lead {owners[0]}; merge them first."));
            return;
        }

        var known = owners.Length == 1 ? changes.Resolver.Leads[owners[0]] : null;
        var before = known?.Changes;
        var lead = changes.Resolver.Resolve(row.Person, null, () => Guid.CreateVersion7(row.Person.Time))!;
        if (row.Touch is { } touch)
        {
            lead.CameFrom(touch);
        }

        if (known is null)
        {
            tally.Created++;
        }
        else if (lead.Changes != before)
        {
            tally.Updated++;
        }
        else
        {
            tally.Unchanged++;
        }
    }

    private Result<LeadRowRead> Read(ImportRow row, ChannelClassifier classifier, TimeZoneInfo timeZone)
    {
        var (violations, now) = (new Violations(), time.GetUtcNow());
        var (otherEmail, facts) = ReadTraits(row, now, violations);
        var email = row["email"] is { } address ? violations.Email(address, "email") : otherEmail;
        var externalId = (row["externalId"] ?? row["userId"]) is { } id ? violations.ExternalId(id, "externalId") : null;
        violations.Require(
            row["email"] is not null || email is not null || externalId is not null, "email", "email or externalId is required.");
        var createTime = now;
        if (row["createTime"] is { } text)
        {
            violations.Require(
                TryTime(text, timeZone, out createTime), "createTime", "createTime must be a time such as 2026-03-31T09:30:00Z, or a day.");
            violations.Require(createTime <= now.AddMinutes(10), "createTime", "createTime lies more than 10 minutes ahead.");
        }

        var type = CaptureType.Import;
        violations.Require(
            row["captureType"] is not { } name
                || (System.Enum.TryParse(name, ignoreCase: true, out type) && System.Enum.IsDefined(type) && !char.IsAsciiDigit(name[0])),
            "captureType",
            "captureType must be one of FORM, CALL, CHAT, IMPORT, API, IDENTIFY.");
        var formType = type == CaptureType.Form ? row["formType"]?.ToLowerInvariant() ?? "other" : null;
        violations.Require(
            formType is null or "demo" or "content" or "contact" or "newsletter" or "other", "formType",
            "formType must be one of demo, content, contact, newsletter, other.");
        if (violations.ToError() is { } error)
        {
            return error;
        }

        createTime = Whole(createTime);
        // What the row says holds from now on; when the person became known is another question.
        var person = new PersonFacts(Whole(now), externalId, null, email, null, new(createTime, type, formType), facts);
        return new LeadRowRead(row.Line, person, ReadTouch(row, createTime, classifier));
    }

    private static Touch? ReadTouch(ImportRow row, DateTimeOffset createTime, ChannelClassifier classifier)
    {
        var told = new Touch(
            Texts.Clip(row["channel"], 200) ?? "", LeadRequests.Lower(row["source"]), LeadRequests.Lower(row["medium"]),
            Texts.Clip(row["campaign"], 200), Texts.Clip(row["keyword"], 200), Texts.Clip(row["landingPage"], 2048), null, createTime,
            null);
        return told is { Channel: "", Source: null, Medium: null, Campaign: null, Keyword: null, LandingPage: null }
            ? null
            : told.Classified(classifier);
    }

    // The e-mail is that of a column that means one, such as `Email Address`; beside a column `email` it is a trait like any other.
    private static (string? Email, IReadOnlyList<Fact> Facts) ReadTraits(ImportRow row, DateTimeOffset now, Violations violations)
    {
        var traits = new Dictionary<string, object?>();
        foreach (var (column, cell) in row.Values)
        {
            if (cell is not null && !OwnColumns.Contains(column))
            {
                var name = column.ToLowerInvariant() switch
                {
                    "domain" or "website" => "companyDomain",
                    "country" => "companyCountry",
                    _ => column
                };
                traits[name] = cell[0] is '{' or '[' && TryJson(cell, out var json) ? json : cell;
            }
        }

        var element = JsonSerializer.SerializeToElement(traits);
        if (!violations.Require(!JsonChecks.IsTooDeep(element), "row", $"The row is nested deeper than {JsonChecks.MaxDepth} levels.")
            || !violations.Require(JsonChecks.CanBeStored(element), "row", "The row holds U+0000 or a number beyond 1e300."))
        {
            return (null, []);
        }

        var none = JsonSerializer.SerializeToElement(new Dictionary<string, object>());
        var told = PersonReader.Read(
            new("identify", ActivityTypes.Identify, now, "row", null, none, element) { TakesEmail = row["email"] is null }, violations);
        return (told.Email, told.Facts);
    }

    private static bool TryJson(string text, out JsonElement json)
    {
        try
        {
            json = JsonDocument.Parse(text).RootElement;
            return true;
        }
        catch (JsonException)
        {
            json = default;
            return false;
        }
    }

    // A day begins where reports begin it: at midnight of the workspace.
    private static bool TryTime(string text, TimeZoneInfo timeZone, out DateTimeOffset time)
    {
        time = default;
        if (DateOnly.TryParseExact(text, "yyyy-MM-dd", out var day))
        {
            time = ReportPeriod.Midnight(day, timeZone);
            return day.Year >= 2000;
        }

        return MessageReader.TryTime(JsonSerializer.SerializeToElement(text), out time) && time.Year >= 2000;
    }

    private static DateTimeOffset Whole(DateTimeOffset time) =>
        new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    private sealed record LeadRowRead(int Line, PersonFacts Person, Touch? Touch);
}
