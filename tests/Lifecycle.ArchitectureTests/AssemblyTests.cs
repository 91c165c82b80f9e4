using System.Reflection;
using Google.Protobuf;
using Lifecycle.Postgres;
using MassTransit;

namespace Lifecycle.ArchitectureTests;

/// <summary>Rules that the built assemblies must keep.</summary>
public sealed class AssemblyTests
{
    [Fact]
    public void Consumers_Every_GoesThroughTheInbox()
    {
        var consumers = Sources.ServiceAssemblies.SelectMany(assembly => assembly.GetTypes())
            .Where(type => type is { IsAbstract: false, IsClass: true } && type.IsAssignableTo(typeof(IConsumer))).ToList();

        Assert.NotEmpty(consumers);
        Assert.DoesNotContain(consumers, consumer => !Bases(consumer)
            .Any(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(EventConsumer<,>)));
    }

    [Fact]
    public void Money_InTheDomain_IsNeverBinaryFloatingPoint()
    {
        string[] words = ["amount", "revenue", "spend", "price", "bookings", "mrr"];
        var faults = from assembly in Sources.ServiceAssemblies.Append(typeof(Kernel.Money).Assembly)
            .Append(typeof(Contracts.ILifecycleEvent).Assembly)
                     from type in assembly.GetTypes()
                     where type.Namespace is { } space && (space.Contains(".Domain", StringComparison.Ordinal)
                         || space.Contains(".Storage", StringComparison.Ordinal) || space is "Lifecycle.Kernel" or "Lifecycle.Contracts")
                     from property in type.GetProperties(
                         BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.DeclaredOnly)
                     let valueType = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType
                     where (valueType == typeof(double) || valueType == typeof(float))
                         && words.Any(word => property.Name.Contains(word, StringComparison.OrdinalIgnoreCase))
                     select $"{type.FullName}.{property.Name}";

        Assert.Empty(faults);
    }

    [Fact]
    public void Lists_InPages_TakeAnOrder()
    {
        // Rows behind a report come in the order of their time.
        string[] fixedOrder = ["ListReportRowsRequest"];
        var lists = typeof(Capture.V1.LeadReflection).Assembly.GetTypes()
            .Where(type => type.Name.StartsWith("List", StringComparison.Ordinal) && type.IsAssignableTo(typeof(IMessage)))
            .Select(type => ((IMessage)Activator.CreateInstance(type)!).Descriptor)
            .Where(message => message.FindFieldByName("page_size") is not null && !fixedOrder.Contains(message.Name)).ToList();

        Assert.NotEmpty(lists);
        Assert.Empty(lists.Where(message => message.FindFieldByName("order_by") is null).Select(message => message.FullName));
    }

    private static IEnumerable<Type> Bases(Type type)
    {
        for (var at = type.BaseType; at is not null; at = at.BaseType)
        {
            yield return at;
        }
    }
}
