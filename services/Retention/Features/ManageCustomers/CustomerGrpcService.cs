using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Lifecycle.Common.V1;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Features.ImportCustomers;
using Lifecycle.Retention.Features.ImportRevenue;
using Lifecycle.Retention.Features.KeepLedger;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Lifecycle.Rpc;
using Microsoft.Extensions.Options;

namespace Lifecycle.Retention.Features.ManageCustomers;

/// <summary>The customer service of the API: checks requests and runs the feature in its transaction.</summary>
public sealed class CustomerGrpcService(
    UnitOfWork<RetentionDbContext> work, RevenueWriter revenue, RevenueAnnouncer announcer, TimeProvider time,
    IOptions<RetentionOptions> options)
    : CustomerService.CustomerServiceBase
{
    public override Task<ListCustomersResponse> ListCustomers(ListCustomersRequest request, ServerCallContext context)
    {
        var query = CustomerQueries.Parse(request).OrThrow();
        var caller = context.Caller();
        return work.Read(caller.WorkspaceId, tx => CustomerQueries.List(tx, query, caller.CurrencyCode), context.CancellationToken);
    }

    public override async Task<Customer> GetCustomer(GetCustomerRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.Id, "id", out var id);
        violations.OrThrow();
        var caller = context.Caller();
        var row = await work.Read(caller.WorkspaceId, tx => CustomerQueries.Find(tx, id), context.CancellationToken);
        return row is null
            ? throw RpcErrors.ToException(Error.NotFound("Customer", id))
            : row.ToProto(caller.CurrencyCode, time.GetUtcNow());
    }

    public override async Task<Customer> CreateCustomer(CreateCustomerRequest request, ServerCallContext context)
    {
        var command = CreateCustomerCommand.Parse(request, time.GetUtcNow()).OrThrow();
        var caller = context.Caller();
        return (await work.RunIdempotent(
            caller.WorkspaceId, context.Method, request.RequestId, request, tx => command.Run(tx, caller.CurrencyCode),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<Customer> UpdateCustomer(UpdateCustomerRequest request, ServerCallContext context)
    {
        var command = UpdateCustomerCommand.Parse(request).OrThrow();
        var caller = context.Caller();
        return (await work.RunIdempotent(
            caller.WorkspaceId, context.Method, request.RequestId, request, tx => command.Run(tx, caller.CurrencyCode),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<Customer> ChurnCustomer(ChurnCustomerRequest request, ServerCallContext context)
    {
        var command = ChurnCustomerCommand.Parse(request, time.GetUtcNow()).OrThrow();
        var caller = context.Caller();
        return (await work.RunIdempotent(
            caller.WorkspaceId, context.Method, request.RequestId, request, tx => command.Run(tx, caller.CurrencyCode),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<Customer> ReactivateCustomer(ReactivateCustomerRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var command = ReactivateCustomerCommand.Parse(request, time.GetUtcNow()).OrThrow();
        return (await work.RunIdempotent(
            caller.WorkspaceId, context.Method, request.RequestId, request, tx => command.Run(tx, caller),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<Revenue> AddRevenue(AddRevenueRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var command = AddRevenueCommand.Parse(request, time.GetUtcNow()).OrThrow();
        return (await revenue.Add(command, caller, context.Method, request, context.CancellationToken)).OrThrow();
    }

    public override async Task<CorrectRevenueResponse> CorrectRevenue(CorrectRevenueRequest request, ServerCallContext context)
    {
        var caller = context.Caller();
        var command = CorrectRevenueCommand.Parse(request, time.GetUtcNow()).OrThrow();
        return (await work.RunIdempotent(
            caller.WorkspaceId, context.Method, request.RequestId, request, tx => command.Run(tx, caller),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<ListCustomerContactsResponse> ListCustomerContacts(
        ListCustomerContactsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.CustomerId, "customerId", out var customerId);
        violations.OrThrow();
        return (await work.Read(
            context.Caller().WorkspaceId, tx => CustomerContacts.List(tx, customerId), context.CancellationToken)).OrThrow();
    }

    public override async Task<CustomerContact> AddCustomerContact(AddCustomerContactRequest request, ServerCallContext context)
    {
        var command = CustomerContacts.Parse(request).OrThrow();
        return (await work.RunIdempotent(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request, tx => CustomerContacts.Add(tx, command),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<Empty> RemoveCustomerContact(RemoveCustomerContactRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.CustomerId, "customerId", out var customerId);
        violations.RequireId(request.Id, "id", out var id);
        violations.OrThrow();
        return (await work.RunIdempotent(
            context.Caller().WorkspaceId, context.Method, request.RequestId, request, tx => CustomerContacts.Remove(tx, customerId, id),
            context.CancellationToken)).OrThrow();
    }

    public override async Task<ListRevenueResponse> ListRevenue(ListRevenueRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.RequireId(request.CustomerId, "customerId", out var customerId);
        violations.OrThrow();
        var query = LedgerQueries.Parse(request).OrThrow();
        var caller = context.Caller();
        return (await work.Read(
            caller.WorkspaceId, tx => LedgerQueries.List(tx, customerId, query, caller.CurrencyCode), context.CancellationToken)).OrThrow();
    }

    public override async Task<ImportResponse> ImportCustomers(IAsyncStreamReader<ImportChunk> requestStream, ServerCallContext context) =>
        (await CustomerImport.Run(work, requestStream, context.Caller(), time, options.Value, context.CancellationToken)).OrThrow();

    public override async Task<ImportResponse> ImportRevenue(IAsyncStreamReader<ImportChunk> requestStream, ServerCallContext context) =>
        (await RevenueImport.Run(
            work, announcer, requestStream, context.Caller(), time, options.Value, context.CancellationToken)).OrThrow();
}
