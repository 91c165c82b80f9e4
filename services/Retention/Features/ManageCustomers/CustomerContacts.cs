using Google.Protobuf.WellKnownTypes;
using Lifecycle.Kernel;
using Lifecycle.Postgres;
using Lifecycle.Retention.Storage;
using Lifecycle.Retention.V1;
using Microsoft.EntityFrameworkCore;

namespace Lifecycle.Retention.Features.ManageCustomers;

/// <summary>A person to be added to a customer.</summary>
internal sealed record NewContact(Guid CustomerId, Guid? LeadId, string DisplayName, string? Email, string Role);

/// <summary>People at a customer.</summary>
internal static class CustomerContacts
{
    private const int MaxContacts = 100;

    public static Result<NewContact> Parse(AddCustomerContactRequest request)
    {
        var violations = new Violations();
        violations.RequireId(request.CustomerId, "customerId", out var customerId);
        var leadId = request.LeadId.Length > 0 && violations.RequireId(request.LeadId, "leadId", out var id) ? id : (Guid?)null;
        var email = request.Email.Length > 0 ? violations.Email(request.Email, "email") : null;
        violations.Require(request.LeadId.Length > 0 || request.Email.Length > 0, "leadId", "leadId or email is required.");
        violations.LimitText(request.DisplayName, "displayName");
        violations.LimitText(request.Role, "role", 100);
        return violations.ToError() is { } error ? error : new NewContact(customerId, leadId, request.DisplayName, email, request.Role);
    }

    public static async Task<Result<ListCustomerContactsResponse>> List(Transaction<RetentionDbContext> tx, Guid customerId)
    {
        if (await CustomerQueries.Find(tx, customerId) is null)
        {
            return Error.NotFound("Customer", customerId);
        }

        var rows = await tx.Db.Contacts.Where(row => row.WorkspaceId == tx.WorkspaceId && row.CustomerId == customerId)
            .OrderBy(row => row.Id).ToListAsync(tx.CancellationToken);
        return new ListCustomerContactsResponse { Contacts = { rows.Select(ToProto) } };
    }

    public static async Task<Result<CustomerContact>> Add(Transaction<RetentionDbContext> tx, NewContact command)
    {
        if (await CustomerLedger.Lock(tx, command.CustomerId) is null)
        {
            return Error.NotFound("Customer", command.CustomerId);
        }

        var leads = await LeadProfiles.ByIdOrEmail(
            tx, command.LeadId is { } given ? [given] : [], command.LeadId is null ? [command.Email!] : []);
        var leadId = command.LeadId is { } id ? leads.ById(id) : leads.ByEmail(command.Email!);
        var profile = leadId is { } known ? await LeadProfiles.Find(tx, known) : null;
        if (profile is { Erased: true })
        {
            return Error.Precondition("The person was erased.");
        }

        var rows = await tx.Db.Contacts.Where(row => row.WorkspaceId == tx.WorkspaceId && row.CustomerId == command.CustomerId)
            .ToListAsync(tx.CancellationToken);
        var email = command.Email ?? profile?.Email;
        var contact = rows.FirstOrDefault(row => (leadId is not null && row.LeadId == leadId) || (email is not null && row.Email == email));
        if (contact is null)
        {
            if (rows.Count >= MaxContacts)
            {
                return Error.Precondition($"A customer has at most {MaxContacts} contacts.");
            }

            contact =
                new() { WorkspaceId = tx.WorkspaceId, Id = tx.NewId(), CustomerId = command.CustomerId, DisplayName = profile?.Name ?? "" };
            tx.Db.Contacts.Add(contact);
        }

        contact.LeadId = leadId ?? contact.LeadId;
        contact.Email = email ?? contact.Email;
        contact.DisplayName = command.DisplayName.Length > 0 ? command.DisplayName : contact.DisplayName;
        contact.Role = command.Role.Length > 0 ? command.Role : contact.Role;
        return ToProto(contact);
    }

    public static async Task<Result<Empty>> Remove(Transaction<RetentionDbContext> tx, Guid customerId, Guid id) =>
        await tx.Db.Contacts.Where(row => row.WorkspaceId == tx.WorkspaceId && row.CustomerId == customerId && row.Id == id)
            .ExecuteDeleteAsync(tx.CancellationToken) == 1
            ? new Empty()
            : Error.NotFound("Contact", id);

    private static CustomerContact ToProto(CustomerContactRow row) => new()
    {
        Id = row.Id.ToString(),
        CustomerId = row.CustomerId.ToString(),
        LeadId = row.LeadId?.ToString() ?? "",
        DisplayName = row.DisplayName,
        Email = row.Email ?? "",
        Role = row.Role,
    };
}
