using System.Globalization;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Domain;
using Lifecycle.Retention.Storage;
using Lifecycle.Rpc;

namespace Lifecycle.Retention.Features.ImportCustomers;

/// <summary>Customers by external id: new ones are made, known ones take the given columns.</summary>
internal static class CustomerImport
{
    public static Task<Result<ImportResponse>> Run(
        UnitOfWork<RetentionDbContext> work, IAsyncStreamReader<ImportChunk> stream, Caller caller, TimeProvider time,
        RetentionOptions options, CancellationToken ct) =>
        ImportBatches<CustomerImportRow>.Run(
            work, stream, caller, "customers", options.ImportBatchSize,
            row => Parse(row, time.GetUtcNow(), caller.TimeZone), CustomerImportBatch.Apply, ct);

    /// <summary>
    /// A time such as 2026-03-31T12:00:00Z, or a day, which begins at midnight of the workspace; null and a fault for anything else.
    /// </summary>
    public static DateTimeOffset? Time(Violations violations, string? text, string column, DateTimeOffset now, TimeZoneInfo timeZone)
    {
        if (text is null)
        {
            return null;
        }

        var isDay = DateOnly.TryParseExact(text, "yyyy-MM-dd", out var day);
        var time = isDay ? ReportPeriod.Midnight(day, timeZone) : default;
        var parsed = isDay || (text.Length > 10 && DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time));
        return violations.Require(parsed, column, $"{column} must be a time such as 2026-03-31T12:00:00Z or a day.")
            && violations.Require(time <= now.AddMinutes(10), column, $"{column} lies more than 10 minutes ahead.")
                ? time
                : null;
    }

    private static Result<CustomerImportRow> Parse(ImportRow row, DateTimeOffset now, TimeZoneInfo timeZone)
    {
        var violations = new Violations();
        violations.RequireText(row["externalId"], "externalId");
        var leadId = row["leadId"] is { } lead && violations.RequireId(lead, "leadId", out var id) ? id : (Guid?)null;
        var email = row["email"] is { } address ? violations.Email(address, "email") : null;
        violations.LimitText(row["displayName"] ?? "", "displayName");
        violations.LimitText(row["segment"] ?? "", "segment");
        violations.LimitText(row["plan"] ?? "", "plan");
        var start = Time(violations, row["startTime"], "startTime", now, timeZone);
        var renewal = violations.OptionalDate(row["renewalDate"] ?? "", "renewalDate");
        violations.LimitText(row["owner"] ?? "", "owner");
        var contract = violations.OptionalDate(row["contractStart"] ?? "", "contractStart");
        var term = 0;
        violations.Require(
            row["termMonths"] is null || (int.TryParse(row["termMonths"], NumberStyles.None, CultureInfo.InvariantCulture, out term)
                && term <= CustomerLifecycle.MaxTermMonths),
            "termMonths", $"termMonths must be a whole number between 0 and {CustomerLifecycle.MaxTermMonths}.");
        if (violations.ToError() is { } error)
        {
            return error;
        }

        renewal ??= contract is { } begin && term > 0
            ? CustomerLifecycle.RenewalAfter(begin, term, DateOnly.FromDateTime(now.UtcDateTime))
            : null;
        return new CustomerImportRow(row["externalId"]!, row["displayName"], leadId, email, start, renewal, row["segment"], row["plan"])
        {
            Owner = row["owner"],
            ContractStart = contract,
            TermMonths = row["termMonths"] is null ? null : term,
        };
    }
}
