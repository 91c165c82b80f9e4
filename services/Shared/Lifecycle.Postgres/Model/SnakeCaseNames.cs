using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace Lifecycle.Postgres.Model;

/// <summary>Names tables, columns, keys and indexes in snake_case, wherever the model does not name them itself.</summary>
internal sealed class SnakeCaseNames : IModelFinalizingConvention
{
    public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
    {
        var entities = modelBuilder.Metadata.GetEntityTypes().ToList();
        foreach (var entity in entities)
        {
            NameTable(entity);
        }

        foreach (var entity in entities)
        {
            if (entity.IsMappedToJson())
            {
                continue;
            }

            var table = StoreObjectIdentifier.Create(entity, StoreObjectType.Table);
            NameColumns(entity, table);
            NameConstraints(entity);
        }
    }

    /// <summary><c>LeadScoreV2</c> → <c>lead_score_v2</c>, <c>URLPath</c> → <c>url_path</c>.</summary>
    [return: NotNullIfNotNull(nameof(name))]
    internal static string? ToSnakeCase(string? name)
    {
        if (name is null)
        {
            return null;
        }

        var text = new StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            var startsWord = i > 0 && char.IsUpper(name[i]) && name[i - 1] != '_'
                && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1])));
            text.Append(startsWord ? "_" : "").Append(char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }

    private static void NameTable(IConventionEntityType entity)
    {
        if (entity.IsMappedToJson())
        {
            entity.SetContainerColumnName(ToSnakeCase(entity.GetContainerColumnName()));
        }
        else if (entity.GetTableNameConfigurationSource() is null or ConfigurationSource.Convention
            && entity.BaseType is null && entity.FindOwnership() is not { IsUnique: true } && entity.GetTableName() is { } name)
        {
            entity.SetTableName(ToSnakeCase(name));
        }
    }

    private static void NameColumns(IConventionTypeBase type, StoreObjectIdentifier? table)
    {
        foreach (var property in type.GetDeclaredProperties())
        {
            if (property.GetColumnNameConfigurationSource() is null or ConfigurationSource.Convention)
            {
                property.SetColumnName(
                    ToSnakeCase(table is { } known ? property.GetDefaultColumnName(known) : property.GetDefaultColumnName()));
            }
        }

        foreach (var complex in type.GetDeclaredComplexProperties())
        {
            if (complex.ComplexType.IsMappedToJson())
            {
                complex.ComplexType.SetContainerColumnName(ToSnakeCase(complex.ComplexType.GetContainerColumnName()));
            }
            else
            {
                NameColumns(complex.ComplexType, table);
            }
        }
    }

    private static void NameConstraints(IConventionEntityType entity)
    {
        foreach (var key in entity.GetDeclaredKeys())
        {
            key.SetName(ToSnakeCase(key.GetName()));
        }

        foreach (var foreignKey in entity.GetDeclaredForeignKeys())
        {
            foreignKey.SetConstraintName(ToSnakeCase(foreignKey.GetConstraintName()));
        }

        foreach (var index in entity.GetDeclaredIndexes())
        {
            index.SetDatabaseName(ToSnakeCase(index.GetDatabaseName()));
        }
    }
}
