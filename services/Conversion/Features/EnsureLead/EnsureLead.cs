using Dapper;
using Grpc.Core;
using Lifecycle.Capture.V1;
using Lifecycle.Contracts;
using Lifecycle.Conversion.Storage;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Rpc;

namespace Lifecycle.Conversion.Features.EnsureLead;

/// <summary>
/// Makes sure that a lead named in a request is known here. One that was created a moment ago may still be on its way over the broker:
/// Capture is asked then, outside of any transaction.
/// </summary>
public sealed class EnsureLead(UnitOfWork<ConversionDbContext> work, LeadService.LeadServiceClient capture, RpcCalls calls)
{
    /// <summary>Errors: NOT_FOUND where Capture knows no such lead, UNAVAILABLE where it does not answer.</summary>
    public async Task<Result<Unit>> Handle(Guid workspaceId, Guid leadId, CancellationToken ct)
    {
        var known = await work.Read(workspaceId, tx => tx.Connection.ExecuteScalarAsync<bool>(new CommandDefinition(
            "select exists (select 1 from lead where workspace_id = @workspaceId and lead_id = @leadId and (captured or merged_into is not null))",
            new { workspaceId, leadId },
            cancellationToken: ct)), ct);
        return known ? default(Unit) : await Ask(workspaceId, leadId, ct);
    }

    private async Task<Result<Unit>> Ask(Guid workspaceId, Guid leadId, CancellationToken ct)
    {
        try
        {
            var lead = await capture.GetLeadAsync(
                new GetLeadRequest { Id = leadId.ToString() }, calls.As(Caller.Service("conversion", workspaceId), ct));
            if (!Guid.TryParse(lead.Id, out var id) || id != leadId)
            {
                return Error.NotFound("Lead", leadId);
            }

            // Version 0: the event that is under way carries more, and wins.
            var profile = new LeadProfile(
                0, lead.Email, lead.ExternalId, lead.CaptureType.ToString().ToUpperInvariant(), lead.FormType,
                lead.CreateTime.ToDateTimeOffset(),
                lead.FirstTouch?.ToTouch(),
                lead.Traits?.Fields.Where(field => Text(field.Value) is not null)
                    .ToDictionary(field => field.Key, field => Text(field.Value)!),
                lead.Company is { } company
                    ? new CompanyInfo(
                        company.Name, company.Domain, company.Industry, company.HasEmployees ? company.Employees : null,
                        company.AnnualRevenue is { } revenue && revenue.Parse().TryGet(out var money, out _) ? money.Amount : null,
                            company.Country)
                    : null);
            await work.Run(workspaceId, async tx => await LeadFacts.Capture(tx, await StageLedger.Lock(tx, leadId), profile), ct);
            return default(Unit);
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.NotFound)
        {
            return Error.NotFound("Lead", leadId);
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded)
        {
            return Error.Unavailable(
                $"Lead {leadId} is not known here yet, and Capture does not answer.") with
            { RetryAfter = TimeSpan.FromSeconds(1) };
        }
    }

    private static string? Text(Google.Protobuf.WellKnownTypes.Value value) => value.KindCase switch
    {
        Google.Protobuf.WellKnownTypes.Value.KindOneofCase.StringValue => value.StringValue,
        Google.Protobuf.WellKnownTypes.Value.KindOneofCase.NumberValue =>
            value.NumberValue.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Google.Protobuf.WellKnownTypes.Value.KindOneofCase.BoolValue => value.BoolValue ? "true" : "false",
        _ => null,
    };
}

/// <summary>Touches of Capture's protocol.</summary>
public static class TouchMessages
{
    public static TouchInfo ToTouch(this Common.V1.Touch touch) => new(
        touch.Channel, Text(touch.Source), Text(touch.Medium), Text(touch.Campaign), Text(touch.Keyword), Text(touch.LandingPage),
        Text(touch.ClickId),
        touch.Time?.ToDateTimeOffset() ?? DateTimeOffset.UnixEpoch, Guid.TryParse(touch.SessionId, out var session) ? session : null);

    private static string? Text(string text) => text.Length == 0 ? null : text;
}
