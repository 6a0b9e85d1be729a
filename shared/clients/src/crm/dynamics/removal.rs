//! Deletes what set-up created in the environment: columns, keys, tables, our solution and its publisher. Their data
//! are deleted too, and cannot be restored. Dataverse refuses to delete what something else still refers to.

use super::{
    Dynamics,
    definitions::{PREFIX, SOLUTION_NAME, table_name},
    errors::{DataverseError, DataverseMeaning},
};
use mapping::WantedTable;
use serde_json::Value;
use std::collections::BTreeSet;
use sync::failure::Failure;

/// How an attempt to delete something ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It was there, and this attempt deleted it.
    Gone,
    /// It did not exist.
    Absent,
    /// Dataverse refused, with this message.
    Kept(String),
}

impl Dynamics {
    /// The columns of a table that may be deleted: custom ones that are not part of a managed solution.
    pub async fn deletable_columns(&self, table: WantedTable) -> Result<BTreeSet<String>, Failure> {
        let table = table_name(table);
        let query = format!(
            "EntityDefinitions(LogicalName='{table}')/Attributes?$select=LogicalName,IsCustomAttribute,IsManaged"
        );
        let rows = self.wire.rows(&format!("read the columns of `{table}`"), &query).await?;
        let own = rows.iter().filter(|row| row["IsCustomAttribute"] == true && row["IsManaged"] == false);
        Ok(own.filter_map(|row| row["LogicalName"].as_str().map(str::to_owned)).collect())
    }

    /// Deletes the alternate key that consists of this column alone.
    pub async fn remove_key(&self, table: WantedTable, column: &str) -> Result<Removed, Failure> {
        let table = table_name(table);
        let list = format!("EntityDefinitions(LogicalName='{table}')/Keys");
        let operation = format!("delete the key of `{table}.{column}`");
        let rows = self.wire.rows(&operation, &format!("{list}?$select=SchemaName,KeyAttributes")).await?;
        let of_column = |row: &&Value| {
            row["KeyAttributes"].as_array().is_some_and(|columns| columns.len() == 1 && columns[0] == column)
        };
        match rows.iter().find(of_column).and_then(|row| row["MetadataId"].as_str()) {
            Some(id) => self.remove(&operation, &format!("{list}({id})")).await,
            None => Ok(Removed::Absent),
        }
    }

    /// Deletes a column and its values.
    pub async fn remove_column(&self, table: WantedTable, column: &str) -> Result<Removed, Failure> {
        let table = table_name(table);
        let path = format!("EntityDefinitions(LogicalName='{table}')/Attributes(LogicalName='{column}')");
        self.remove(&format!("delete column `{table}.{column}`"), &path).await
    }

    /// Deletes a table with its rows, lookups, forms and views.
    pub async fn remove_table(&self, table: WantedTable) -> Result<Removed, Failure> {
        let table = table_name(table);
        let path = format!("EntityDefinitions(LogicalName='{table}')");
        self.remove(&format!("delete table `{table}`"), &path).await
    }

    /// Deletes our solution, which has no content by now, and its publisher.
    pub async fn remove_solution(&self) -> Result<Removed, Failure> {
        let mut outcome = Removed::Absent;
        for (set, id, filter) in [
            ("solutions", "solutionid", format!("uniquename eq '{SOLUTION_NAME}'")),
            ("publishers", "publisherid", format!("customizationprefix eq '{PREFIX}'")),
        ] {
            let rows = self
                .wire
                .rows("look for our solution", &format!("{set}?$select={id}&$filter={filter}"))
                .await?;
            for row in rows.iter().filter_map(|row| row[id].as_str()) {
                match self.remove(&format!("delete `{set}({row})`"), &format!("{set}({row})")).await? {
                    kept @ Removed::Kept(_) => return Ok(kept),
                    Removed::Gone => outcome = Removed::Gone,
                    Removed::Absent => {}
                }
            }
        }
        Ok(outcome)
    }

    async fn remove(&self, operation: &str, path: &str) -> Result<Removed, Failure> {
        let answer = self.wire.delete(operation, path).await?;
        let said = DataverseError::of(&answer);
        match said.meaning() {
            _ if answer.is_success() => Ok(Removed::Gone),
            DataverseMeaning::Gone => Ok(Removed::Absent),
            // Metadata that is not there has the code of a wrong request (vendors/dataverse.md, *Metadata*).
            DataverseMeaning::Refused if answer.status == 404 => Ok(Removed::Absent),
            DataverseMeaning::Refused => Ok(Removed::Kept(said.to_string())),
            _ => Err(self.wire.failed(operation, &said)),
        }
    }
}
